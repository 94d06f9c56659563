/** Instructions of a Dockerfile by stage; those before the first FROM are in ''. Continued lines are joined. */
export function stagesOf(dockerfile: string): Map<string, string[]> {
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const stages = new Map<string, string[]>([['', []]]);
  let stage = '';
  for (const line of lines.filter((line) => line.trim() !== '')) {
    stage = /^FROM .+ AS (\S+)$/.exec(line)?.[1] ?? stage;
    stages.set(stage, [...(stages.get(stage) ?? []), line]);
  }
  return stages;
}
