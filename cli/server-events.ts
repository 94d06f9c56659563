/** Reads a stream of server-sent events. Yields each event's name and data until the server ends the stream. */
export async function* serverEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<{ event: string; data: string }> {
  let buffer = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (buffer + text).split(/\r?\n\r?\n/);
    buffer = blocks.pop()!;
    yield* blocks.map(parseEvent).filter(({ data }) => data !== '');
  }
}

function parseEvent(block: string) {
  const fields = block.split(/\r?\n/).map((line) => /^(\w+): ?(.*)$/.exec(line));
  const values = (name: string) => fields.flatMap((field) => (field?.[1] === name ? [field[2]!] : []));
  return { event: values('event')[0] ?? 'message', data: values('data').join('\n') };
}
