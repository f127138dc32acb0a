/** What a test's server does with its one file. */
export interface Behaviour {
  /** Answers Range requests, as most servers do. */
  ranges?: boolean;
  /** Breaks the connection after so many bytes of an answer. */
  breakAfter?: number;
  /** Sends so many bytes, then nothing more. */
  stallAfter?: number;
  status?: number;
}

/** Serves `bytes` on the loopback while `body` runs. `requests` collects the Range header of each request, or "". */
export async function withServer(
  bytes: Uint8Array<ArrayBuffer>,
  body: (url: string, behaviour: Behaviour, requests: string[]) => Promise<void>,
): Promise<void> {
  const behaviour: Behaviour = { ranges: true };
  const requests: string[] = [];
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, signal: stop.signal, onListen() {} },
    (request) => {
      const range = request.headers.get("range") ?? "";
      requests.push(range);
      if (behaviour.status) return new Response("no", { status: behaviour.status });
      const from = behaviour.ranges ? Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0) : 0;
      if (from >= bytes.length) {
        return new Response(null, { status: 416, headers: { "content-range": `bytes */${bytes.length}` } });
      }
      const headers: Record<string, string> = { "content-length": `${bytes.length - from}` };
      if (from > 0) headers["content-range"] = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
      return new Response(stream(bytes.subarray(from), behaviour), { status: from > 0 ? 206 : 200, headers });
    },
  );
  try {
    await body(`http://127.0.0.1:${server.addr.port}/file.tar.gz`, behaviour, requests);
  } finally {
    stop.abort();
    await server.finished;
  }
}

function stream(
  bytes: Uint8Array<ArrayBuffer>,
  { breakAfter, stallAfter }: Behaviour,
): ReadableStream<Uint8Array> {
  let sent = 0;
  const limit = Math.min(breakAfter ?? stallAfter ?? bytes.length, bytes.length);
  return new ReadableStream({
    async pull(controller) {
      if (sent < limit) {
        const chunk = bytes.subarray(sent, Math.min(sent + 1000, limit));
        sent += chunk.length;
        controller.enqueue(chunk);
      } else if (stallAfter === undefined) {
        // With fewer bytes than were promised the server breaks the connection; the client gets what was sent first.
        if (breakAfter !== undefined) await new Promise((done) => setTimeout(done, 50));
        controller.close();
      }
    },
  });
}
