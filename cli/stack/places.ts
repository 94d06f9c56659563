/** Where on this machine the things are that containers know by names, addresses and paths of their own. */
export interface Places {
  /** Addresses of the replicas of each service; a name stands for the first. */
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  /** The address that a container calls 127.0.0.1 and 0.0.0.0. */
  readonly own: string;
  /** Ports published on the host → address and port behind them. */
  readonly published: ReadonlyMap<string, string>;
  /** Networks that the file gives a range of addresses. */
  readonly subnets: readonly string[];
  /** Path in the container → path on this machine. */
  readonly paths: ReadonlyMap<string, string>;
}

/** Puts the places of this machine into a text that was written for a container: a value, an argument, a file. */
export function place(text: string, { hosts, own, published, subnets, paths }: Places): string {
  const placed = text
    .replace(anyOf(hosts.keys(), '(?<![\\w.-])', '(?=:\\d)'), (name) => hosts.get(name)![0]!)
    .replace(/(?<![\w.-])localhost:(\d+)/g, (_, port: string) => published.get(port) ?? `${own}:${port}`)
    .replace(/(?<![\d.])(0\.0\.0\.0|127\.0\.0\.1)(?![\d.]|\/\d)/g, own)
    .replace(anyOf(subnets, '(?<![\\d.])', ''), '127.0.0.0/8');
  // Last and at once: a place on this machine may look like a path of the container.
  return placed.replace(anyOf(paths.keys(), '(?<![\\w./])', '(?=$|[/:;\\s"\',}])'), (path) => paths.get(path)!);
}

/** Any of the words, the longest that fits; none fits when there are no words. */
function anyOf(words: Iterable<string>, before: string, after: string): RegExp {
  const longestFirst = [...words].toSorted((a, b) => b.length - a.length).map(literal);
  return new RegExp(`${before}(?:${longestFirst.join('|') || '(?!)'})${after}`, 'g');
}

const literal = (word: string) => word.replace(/[^\w/-]/g, '\\$&');
