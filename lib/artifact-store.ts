/** Points to content in the artifact store. */
export interface ArtifactRef {
  /** Lower-case hex SHA-256 of the bytes; the object's key is `sha256/<first two>/<sha256>`. */
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Content-addressed objects on a folder or S3. An object is created only if absent, and its hash is verified on every
 * read. Errors: NOT_FOUND (no such object), UNAVAILABLE (the store cannot be reached, or the content does not match).
 */
export interface ArtifactStore {
  put(bytes: Uint8Array): Promise<ArtifactRef>;
  /** Streams a file into the store; never holds it in memory. */
  putFile(path: string): Promise<ArtifactRef>;
  get(sha256: string): Promise<Uint8Array>;
  /** Streams an object into a file; the file appears only when complete and verified. */
  getFile(sha256: string, path: string): Promise<void>;
  has(sha256: string): Promise<boolean>;
  /** Streams a named object (a pipeline's `object` source) into a file. The key must not start with `sha256/`. */
  getNamed(key: string, path: string): Promise<void>;
  /** Answers when the store can be used; throws UNAVAILABLE. */
  check(): Promise<void>;
}

export const artifactKey = (sha256: string) => `sha256/${sha256.slice(0, 2)}/${sha256}`;
