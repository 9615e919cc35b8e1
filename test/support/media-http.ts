// A file under a URL on loopback with ranges, as ffmpeg gets it from TorrX.

export interface ServedFile {
  readonly url: string;
  /** Bytes that were asked for, by request. */
  readonly requests: string[];
  stop(): Promise<void>;
}

/** `answer` takes the place of the file: for what goes wrong on the way. */
export function serveFile(
  path: string,
  answer?: (request: Request) => Response | Promise<Response>,
): ServedFile {
  const requests: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: (request) => {
      requests.push(request.headers.get("range") ?? "all");
      return answer?.(request) ?? rangeOf(path, request);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/api/stream/film?token=SECRETTOKEN`,
    requests,
    stop: () => server.stop(true),
  };
}

function rangeOf(path: string, request: Request): Response {
  const file = Bun.file(path);
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "") ?? [];
  const headers = { "accept-ranges": "bytes", "content-type": "application/octet-stream" };
  if (from === undefined) return new Response(file, { headers });
  const start = Number(from);
  const end = to === "" || to === undefined ? file.size - 1 : Math.min(Number(to), file.size - 1);
  if (start > end) {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${file.size}` } });
  }
  return new Response(file.slice(start, end + 1), {
    status: 206,
    headers: { ...headers, "content-range": `bytes ${start}-${end}/${file.size}` },
  });
}
