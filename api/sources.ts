import type { DatasetRepository } from '../db/datasets.ts';
import { checkOutgoingUrl, type OutgoingPolicy } from '../lib/http/outgoing.ts';
import type { DataSource } from '../pipelines/definition.ts';
import { named } from './named.ts';
import { invalid } from './router.ts';

export interface SourceDeps {
  readonly datasets: Pick<DatasetRepository, 'getVersion'>;
  readonly sourceConnections: readonly string[];
  readonly outgoing: OutgoingPolicy;
}

/** Refuses a source no run could read; `prefix` is where the request holds it. Throws NOT_FOUND (dataset), INVALID. */
export async function checkSource(deps: SourceDeps, source: DataSource, prefix: string): Promise<void> {
  const path = (field: string) => [prefix, field].filter((part) => part !== '').join('.');
  switch (source.kind) {
    case 'dataset':
      await named(path('dataset_version'), () => deps.datasets.getVersion(source.dataset_version));
      return;
    case 'sql':
      if (deps.sourceConnections.includes(source.connection)) return;
      throw invalid([
        {
          path: path('connection'),
          rule: 'allowed',
          message: `'${source.connection}' is not in the configuration's allow-list (SOURCE_DATABASES)`,
        },
      ]);
    case 'object':
      if (isPlainKey(source.key)) return;
      throw invalid([{ path: path('key'), rule: 'key', message: KEY_RULE }]);
    case 'url':
      checkOutgoingUrl(source.url, deps.outgoing, path('url'));
      return;
  }
}

const KEY_RULE = `must be a relative path outside sha256/, at most 255 bytes a part and 1024 in all, of letters, digits, spaces and !-_.*'()=+,@&$:`;

// Signs that mean something to a file system, a URL or a store's gateway are left out, and look-alikes of theirs.
function isPlainKey(key: string): boolean {
  const parts = key.split('/');
  const isPlain = (part: string) =>
    /^[\p{L}\p{N}\p{M} !\-_.*'()=+,@&$:]+$/u.test(part) && !/^\.+$/.test(part) && Buffer.byteLength(part) <= 255;
  return parts[0] !== 'sha256' && Buffer.byteLength(key) <= 1024 && parts.every(isPlain);
}
