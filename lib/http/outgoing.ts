import { lookup as systemLookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { addAbortSignal, type Readable } from 'node:stream';
import ipaddr from 'ipaddr.js';
import { PlatformError } from '../errors.ts';

/** Where this process may send requests that somebody else worded. */
export interface OutgoingPolicy {
  /** `example.org`, `*.example.org` (any name below it), `example.org:8443`. With none, nothing may be called. */
  readonly hosts: readonly string[];
  /** Allows hosts with loopback, private and link-local addresses, and http. */
  readonly privateAddresses: boolean;
}
export interface OutgoingRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Until the answer's headers are here, redirects included. */
  readonly answerTimeoutMs?: number;
  /** Without a byte of the answer for this long, it has failed. */
  readonly idleTimeoutMs?: number;
  readonly signal?: AbortSignal;
  /** The request's field that holds the URL, for errors. */
  readonly field: string;
  /** Every address of a host name; the system's resolver unless given. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}
export interface OutgoingAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Not limited in size: the reader says when it is enough, by destroying it. */
  readonly body: Readable;
}
export type OutgoingFetch = (url: string, request: OutgoingRequest) => Promise<OutgoingAnswer>;

const MAX_REDIRECTS = 3;
const MAX_URL_CHARACTERS = 2048;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request whose URL somebody else wrote. The URL and each redirect pass `checkOutgoingUrl`, every address of
 * the host is checked, and the connection goes to an address that was. Throws INVALID naming field and rule, UNAVAILABLE
 * when there is no answer. No message repeats the URL, which may hold a secret, or an address.
 */
export const createOutgoingFetch =
  (policy: OutgoingPolicy): OutgoingFetch =>
  async (url, request) => {
    const limit = AbortSignal.timeout(request.answerTimeoutMs ?? 30_000);
    const signal = request.signal ? AbortSignal.any([request.signal, limit]) : limit;
    let next = url;
    for (let redirects = 0; ; redirects++) {
      const target = checkOutgoingUrl(next, policy, request.field);
      const addresses = await checkedAddresses(target, policy, request);
      const isFirstHost = target.origin === new URL(url).origin;
      const answer = await send(target, addresses, isFirstHost ? request : { ...request, headers: {} }, signal);
      const location = REDIRECTS.has(answer.statusCode!) ? answer.headers.location : undefined;
      if (location === undefined) return { status: answer.statusCode!, headers: answer.headers, body: answer };
      answer.destroy();
      if (request.method === 'POST') throw refuse(request.field, 'redirects', 'the host redirects a POST');
      if (redirects === MAX_REDIRECTS) {
        throw refuse(request.field, 'redirects', `the host redirects more than ${MAX_REDIRECTS} times`);
      }
      if (!URL.canParse(location, target.href))
        throw refuse(request.field, 'redirects', 'the host redirects to no URL');
      next = new URL(location, target).href;
    }
  };

/** What can be said of a URL without asking anybody. Throws INVALID naming field and rule. */
export function checkOutgoingUrl(text: string, { hosts, privateAddresses }: OutgoingPolicy, field: string): URL {
  if (text.length > MAX_URL_CHARACTERS) throw refuse(field, 'url', `is longer than ${MAX_URL_CHARACTERS} characters`);
  if (!URL.canParse(text)) throw refuse(field, 'url', 'is not an absolute URL');
  const url = new URL(text);
  const isHttp = privateAddresses && url.protocol === 'http:';
  if (url.protocol !== 'https:' && !isHttp) throw refuse(field, 'scheme', 'must begin with https://');
  if (url.username !== '' || url.password !== '')
    throw refuse(field, 'credentials', 'must not hold a user name or password');
  if (!hosts.some((allowed) => matches(allowed.toLowerCase(), hostAndPort(url)))) {
    throw refuse(field, 'allowed', 'its host and port are not in the allow-list OUTGOING_HOSTS');
  }
  const host = hostOf(url);
  if (isIP(host) && !privateAddresses && !isPublicAddress(host)) throw notPublic(field);
  return url;
}

const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3');

/** Is this an address of the public internet? Not one for a purpose of its own, nor one that holds another address. */
export function isPublicAddress(address: string): boolean {
  if (!isIP(address)) return false;
  const parsed = ipaddr.process(address); // ::ffff:1.2.3.4 is 1.2.3.4
  return parsed.range() === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(GLOBAL_IPV6));
}

/** No brackets around IPv6, no dot at the end. */
const hostOf = ({ hostname }: URL) => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
/** Without the port where it is the one of the scheme. */
const hostAndPort = ({ hostname, port }: URL) => hostname.replace(/\.$/, '') + (port === '' ? '' : `:${port}`);

const matches = (allowed: string, host: string) =>
  allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) && host.length >= allowed.length : host === allowed;

async function checkedAddresses(
  url: URL,
  { privateAddresses }: OutgoingPolicy,
  { field, resolve = resolveAll }: OutgoingRequest,
): Promise<readonly string[]> {
  const host = hostOf(url);
  const addresses = isIP(host) ? [host] : await resolve(host).catch(() => []);
  if (addresses.length === 0) throw unavailable('the host of the URL has no address now');
  if (!privateAddresses && !addresses.every(isPublicAddress)) throw notPublic(field);
  return addresses;
}

const resolveAll = async (host: string) => (await systemLookup(host, { all: true })).map(({ address }) => address);

function send(
  url: URL,
  addresses: readonly string[],
  request: OutgoingRequest,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const checked = addresses.map((address) => ({ address, family: isIP(address) }));
  // The name is not asked for again: its next answer may be another address.
  const lookup: LookupFunction = (_host, options, callback) =>
    options.all ? callback(null, checked) : callback(null, checked[0]!.address, checked[0]!.family);
  const client = url.protocol === 'https:' ? https : http;
  // An agent of its own: no connection that others opened, and no proxy of the environment.
  const sent = client.request(url, {
    method: request.method ?? 'GET',
    headers: { 'user-agent': 'anneal', accept: '*/*', 'accept-encoding': 'identity', ...request.headers },
    agent: false,
    lookup,
    servername: isIP(hostOf(url)) ? '' : hostOf(url),
    timeout: request.idleTimeoutMs ?? 30_000,
  });
  const stop = () => sent.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  sent.on('timeout', () => sent.destroy(new Error('no byte in time')));
  sent.on('error', (error) => {
    const left = request.signal?.aborted ? (request.signal.reason as Error) : undefined;
    reject(left ?? unavailable('the host of the URL does not answer', error));
  });
  sent.on('response', (answer) => {
    signal.removeEventListener('abort', stop);
    resolve(request.signal ? addAbortSignal(request.signal, answer) : answer);
  });
  if (signal.aborted) stop();
  else sent.end(request.body);
  return promise;
}

const refuse = (path: string, rule: string, message: string) =>
  new PlatformError('INVALID', `${path}: ${message}`, { details: [{ path, rule, message }] });
const notPublic = (field: string) => refuse(field, 'address', 'its host has an address that is not public');
const unavailable = (message: string, cause?: unknown) => new PlatformError('UNAVAILABLE', message, { cause });
