// A complete file over HTTP, TorrX's front beside nginx (sendfile), in one run, turn about: MB/s, CPU s/GB, RSS.
// Usage: bun test/bench/http-serve.ts [MiB=1024] [rounds=5]. Needs nginx and curl; best in a network namespace.
// Bar (PRODUCT §7): ≥ 0.8 × nginx.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { createFront } from "../../src/front/index.ts";
import type { StreamTarget } from "../../src/services/ports.ts";
import { AUTHORIZATION, TORRENT, testAccess, testStreams } from "../support/api-front.ts";

const folder = "/dev/shm/torrx-http-serve";
const path = `${folder}/file.bin`;

async function serve(): Promise<void> {
  const lengthBytes = Bun.file(path).size;
  const target = {
    lengthBytes,
    isComplete: true,
    diskPath: path,
    name: "file.bin",
    etag: '"x"',
    lastModifiedMs: 0,
  };
  const front = createFront({
    host: "127.0.0.1",
    port: 0,
    allowedHosts: [],
    access: await testAccess(),
    streams: { ...testStreams(), resolve: () => target as StreamTarget },
    app: () => new Response(),
    openBody: () => {
      throw new Error("the file is complete");
    },
    contentTypeOf: () => "application/octet-stream",
    clock: systemClock,
    log: silentLog,
  });
  console.log((await front.listen()).port);
}

interface Contender {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
  readonly samples: { mbPerSec: number; cpuSecPerGb: number }[];
}

function cpuSec(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function peakRssMib(pid: number): number {
  const line = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Math.round(Number(line?.[1] ?? 0) / 1024);
}

async function startNginx(): Promise<{ contender: Contender; stop(): void }> {
  const port = 20_000 + (process.pid % 20_000);
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/t;`,
  );
  writeFileSync(
    `${folder}/nginx.conf`,
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit; events {}
     http { access_log off; sendfile on; tcp_nopush on; ${temp.join(" ")}
     server { listen 127.0.0.1:${port}; root ${folder}; } }`,
  );
  const child = Bun.spawn(["nginx", "-c", `${folder}/nginx.conf`], { stdout: "ignore", stderr: "inherit" });
  const url = `http://127.0.0.1:${port}/file.bin`;
  while (
    await fetch(url, { method: "HEAD" }).then(
      () => false,
      () => true,
    )
  )
    await Bun.sleep(20);
  return { contender: { name: "nginx", pid: child.pid, url, samples: [] }, stop: () => child.kill() };
}

async function startOurs(): Promise<{ contender: Contender; stop(): void }> {
  const child = Bun.spawn([process.execPath, import.meta.path, "serve"], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  const url = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}/api/stream/${TORRENT}/0`;
  return { contender: { name: "torrx", pid: child.pid, url, samples: [] }, stop: () => child.kill() };
}

async function measure(contender: Contender): Promise<void> {
  const before = cpuSec(contender.pid);
  const curl = [
    "curl",
    "-s",
    "-o",
    "/dev/null",
    "-w",
    "%{size_download} %{time_total} %{time_starttransfer}",
  ];
  const text = await new Response(
    Bun.spawn([...curl, "-H", `Authorization: ${AUTHORIZATION}`, contender.url]).stdout,
  ).text();
  const [size = 0, totalSec = 1, startSec = 0] = text.split(" ").map(Number);
  if (size !== Bun.file(path).size) throw new Error(`${contender.name} sent ${size} bytes`);
  contender.samples.push({
    mbPerSec: size / 1e6 / (totalSec - startSec),
    cpuSecPerGb: ((cpuSec(contender.pid) - before) * 1e9) / size,
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function run(mib: number, rounds: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const block = crypto.getRandomValues(new Uint8Array(65_536));
  const writer = Bun.file(path).writer();
  for (let i = 0; i < mib * 16; i++) writer.write(block);
  await writer.end();
  const servers = [await startNginx(), await startOurs()];
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const { contender } of servers) await measure(contender);
      // The first one warms up.
      if (round === 0) for (const { contender } of servers) contender.samples.length = 0;
    }
    for (const { contender } of servers) {
      const rates = contender.samples.map((sample) => sample.mbPerSec);
      console.log(
        `${contender.name.padEnd(6)} ${median(rates).toFixed(0)} MB/s (${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)}), ` +
          `${median(contender.samples.map((sample) => sample.cpuSecPerGb)).toFixed(2)} CPU s/GB, peak ${peakRssMib(contender.pid)} MiB`,
      );
    }
    const [nginx, ours] = servers.map(({ contender }) =>
      median(contender.samples.map((sample) => sample.mbPerSec)),
    );
    console.log(`ratio  ${((ours ?? 0) / (nginx ?? 1)).toFixed(2)} (bar 0.8)`);
  } finally {
    for (const server of servers) server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[2] === "serve") await serve();
else await run(Number(process.argv[2] ?? 1024), Number(process.argv[3] ?? 5));
