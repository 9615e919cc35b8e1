// The servers that serve.ts compares: the real TorrX with a complete torrent, and nginx (sendfile) on the very same file.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { systemPath } from "../support/namespace.ts";
import { startProcess } from "../support/process.ts";
import { makeTorrent } from "../support/torrent-maker.ts";
import { Torrx } from "../support/torrx.ts";
import type { Place } from "./http-load.ts";

export interface Contender {
  readonly name: string;
  readonly pid: number;
  readonly place: Place;
}

/** CPU seconds of a process with all its threads. */
export function cpuSecOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function rssMibOf(pid: number): number {
  const match = /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Math.round(Number(match?.[1] ?? 0) / 1024);
}

export async function startNginx(folder: string, path: string): Promise<Contender> {
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  writeFileSync(
    `${folder}/nginx.conf`,
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit; events {}
     http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; ${temp.join(" ")}
     server { listen 127.0.0.1:${port}; root ${dirname(path)}; } }`,
  );
  const child = startProcess(["nginx", "-c", `${folder}/nginx.conf`], { env: { PATH: systemPath() } });
  const place = { port, path: path.slice(dirname(path).length) };
  for (const endMs = performance.now() + 5_000; ; await Bun.sleep(20)) {
    const isUp = await fetch(`http://127.0.0.1:${port}${place.path}`, { method: "HEAD" }).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isUp) return { name: "nginx", pid: child.pid, place };
    if (performance.now() > endMs) throw new Error(`nginx does not serve:\n${child.tail()}`);
  }
}

/** `path` is where the server keeps its downloads: the torrent is found complete. Once by login, once by link. */
export async function startTorrx(folder: string, path: string): Promise<readonly [Contender, Contender]> {
  const torrent = await makeTorrent(path, { pieceBytes: 1024 * 1024 });
  const server = await Torrx.start({ folder });
  await server.upload(torrent.bytes);
  const { files } = await server.waitFor(torrent.infoHash, (body) => body.status === "seeding", {
    withinMs: 60_000,
    what: "the check of the data",
  });
  const link = new URL(files[0]!.stream_url, server.origin);
  const { pid } = server.process;
  const { port, authorization } = server;
  return [
    { name: "login", pid, place: { port, path: link.pathname, authorization } },
    { name: "link", pid, place: { port, path: link.pathname + link.search } },
  ];
}

export function downloadPath(folder: string, name: string): string {
  const downloads = join(folder, "data", "downloads");
  mkdirSync(downloads, { recursive: true });
  return join(downloads, name);
}
