import { join } from 'node:path';
import { type Nginx, startNginx, type WritablePaths } from '../../lib/nginx.ts';

/** What the gateway is told; the same as the environment of its container (README.md). */
export interface GatewaySettings {
  /** Address to listen on, as `127.0.0.1` or `[::]`. */
  readonly host: string;
  readonly httpPort: number;
  /** Where the drift reports are, with TLS if the rest has it. */
  readonly reportsPort: number;
  readonly tls: TlsSettings | null;
  /** `host:port` of the processes behind it. */
  readonly api: readonly string[];
  readonly serving: readonly string[];
  /** Requests per minute and address. */
  readonly rates: { readonly auth: number; readonly general: number; readonly predict: number };
  readonly maxBodyBytes: number;
  readonly maxBatchBytes: number;
  readonly maxUploadBytes: number;
  readonly maxModelBytes: number;
}
export interface TlsSettings {
  readonly httpsPort: number;
  /** The port that callers see, when something maps it to another. */
  readonly publicPort?: number;
  /** Paths of PEM files. */
  readonly certificate: string;
  readonly key: string;
}

export const GATEWAY_TEMPLATES = join(import.meta.dirname, 'templates');

export function gatewayVariables(settings: GatewaySettings, paths: WritablePaths): Record<string, string> {
  const {
    host,
    httpPort,
    reportsPort,
    tls,
    api,
    serving,
    rates,
    maxBodyBytes,
    maxBatchBytes,
    maxUploadBytes,
    maxModelBytes,
  } = settings;
  return {
    GATEWAY_RUN_FOLDER: paths.runFolder,
    GATEWAY_ACCESS_LOG: paths.logFile,
    GATEWAY_SCHEME: tls ? 'https' : 'http',
    GATEWAY_HOST: host,
    GATEWAY_HTTP_PORT: String(httpPort),
    GATEWAY_REPORTS_PORT: String(reportsPort),
    GATEWAY_HTTPS_PORT: String(tls?.httpsPort ?? ''),
    GATEWAY_PUBLIC_HTTPS_PORT: String(tls?.publicPort ?? tls?.httpsPort ?? ''),
    GATEWAY_TLS_CERTIFICATE: tls?.certificate ?? '',
    GATEWAY_TLS_KEY: tls?.key ?? '',
    GATEWAY_API_SERVERS: upstreamServers(api),
    GATEWAY_SERVING_SERVERS: upstreamServers(serving),
    GATEWAY_SERVING_TRIES: String(serving.length),
    GATEWAY_RATE_AUTH_PER_MINUTE: String(rates.auth),
    GATEWAY_RATE_GENERAL_PER_MINUTE: String(rates.general),
    GATEWAY_RATE_PREDICT_PER_MINUTE: String(rates.predict),
    MAX_BODY_BYTES: String(maxBodyBytes),
    MAX_BATCH_BYTES: String(maxBatchBytes),
    MAX_UPLOAD_BYTES: String(maxUploadBytes),
    MAX_MODEL_BYTES: String(maxModelBytes),
  };
}

/**
 * The processes of one upstream. Each is there twice: one that fails gets nothing for 2 s, but where all have failed (one
 * endpoint without a model answers 503 on every process) they are still asked, instead of nobody.
 */
export const upstreamServers = (addresses: readonly string[]): string =>
  [
    ...addresses.map((address) => `server ${address} max_fails=1 fail_timeout=2s;`),
    ...addresses.map((address) => `server ${address} max_fails=0 backup;`),
  ].join(' ');

/** Starts the gateway in a folder of its own. Throws INVALID (its configuration), UNAVAILABLE. */
export function startGateway(program: string, folder: string, settings: GatewaySettings): Promise<Nginx> {
  const host = settings.host === '0.0.0.0' ? '127.0.0.1' : settings.host;
  return startNginx({
    program,
    folder,
    templates: GATEWAY_TEMPLATES,
    variables: (paths) => gatewayVariables(settings, paths),
    answers: async () => (await fetch(`http://${host}:${settings.httpPort}/healthz`)).ok,
  });
}
