import { readdir, readFile, writeFile } from 'node:fs/promises';

const TICKS_PER_SECOND = 100; // what Linux shows in /proc, whatever the kernel counts in

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
}

/** A line of /proc/<pid>/stat. The name, in brackets, may hold anything. */
export function parseStat(line: string): Stat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system] = [fields[1], fields[11], fields[12]].map(Number) as [number, number, number];
  return { pid: Number.parseInt(line), parent, cpuSeconds: (user + system) / TICKS_PER_SECOND };
}

/** The process and all that descend from it, as they are now. */
async function treeOf(root: number): Promise<Stat[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)));
  const all = lines.flatMap((line) => (line === null ? [] : [parseStat(line)]));
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

export const pidsOf = async (root: number): Promise<number[]> => (await treeOf(root)).map(({ pid }) => pid);

/** Processor time of the process, its threads and its descendants, in seconds. */
export const cpuSecondsOf = async (root: number): Promise<number> =>
  (await treeOf(root)).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);

/** The sum of each process's largest resident set since `forgetPeaks`, in MiB. */
export async function peakMibOf(root: number): Promise<number> {
  const texts = await Promise.all((await pidsOf(root)).map((pid) => readFile(`/proc/${pid}/status`, 'utf8')));
  return texts.reduce((sum, text) => sum + Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0), 0) / 1024;
}

export async function forgetPeaks(root: number): Promise<void> {
  for (const pid of await pidsOf(root)) await writeFile(`/proc/${pid}/clear_refs`, '5');
}
