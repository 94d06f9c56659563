import { isAbsolute, join } from 'node:path';
import type { ComposeFile, ComposeService } from './compose-file.ts';

/** A file or folder of the project that a container sees, copied so that the names in it can be replaced. */
export interface Copy {
  readonly from: string;
  readonly to: string;
}
export interface Mounts {
  /** Path in the container → path on this machine. */
  readonly paths: ReadonlyMap<string, string>;
  readonly copies: readonly Copy[];
  /** To be made when they are missing. */
  readonly folders: readonly string[];
}
export interface MountFolders {
  /** Of the Compose file. */
  readonly project: string;
  /** Stands for the container's file system, and is empty at each start. */
  readonly root: string;
  /** Of the volumes that have names. */
  readonly volumes: string;
  readonly logs: string;
}

// Where Docker keeps what services print; `anneal stack` writes the same into a folder of its own.
const DOCKER_LOGS = '/var/lib/docker/containers';

/** What a container of this service has at which path, and where that is without one. */
export function mountsOf(service: ComposeService, secrets: ComposeFile['secrets'], folders: MountFolders): Mounts {
  const paths = new Map<string, string>();
  const copies: Copy[] = [];
  const made: string[] = [];
  const own = (path: string) => join(folders.root, path);
  const keep = (path: string, at: string) => {
    paths.set(path, at);
    made.push(at);
  };
  const copy = (path: string, from: string) => {
    paths.set(path, own(path));
    copies.push({ from: join(folders.project, from), to: own(path) });
  };
  for (const volume of service.volumes) {
    const [source = '', path] = volume.split(':');
    if (path === undefined) keep(source, own(source));
    else if (source === DOCKER_LOGS) keep(path, folders.logs);
    else if (isAbsolute(source)) paths.set(path, source);
    else if (source.startsWith('.')) copy(path, source);
    else keep(path, join(folders.volumes, source));
  }
  for (const entry of service.tmpfs) keep(entry.split(':')[0]!, own(entry.split(':')[0]!));
  for (const name of service.secrets) copy(`/run/secrets/${name}`, secrets[name]?.file ?? name);
  return { paths, copies, folders: made };
}
