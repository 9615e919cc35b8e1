// QUALITY B4 #12: no file in a torrent makes FFmpeg open another file or another URL than the one that we hand it. Proven
// twice: by what our arguments forbid, and, as if those did not exist or FFmpeg had been taken over, by the sandbox
// alone. And each file is shown to do its worst to a careless FFmpeg, where there is one that lets it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXEC_PATH } from "../../native/exec-path.ts";
import type { MediaProgram } from "../../src/media/ports.ts";
import { INPUT_OPTIONS } from "../../src/media/probe/input-options.ts";
import { type EvilFile, evilFiles, type Prey } from "../support/evil-media.ts";
import { type TestPrograms, testPrograms } from "../support/fake-ffmpeg.ts";
import { freePort } from "../support/free-port.ts";
import { always, type HttpVictim, httpVictim } from "../support/http-victim.ts";
import { makeMedia } from "../support/media.ts";
import { describeIsolated, hasProgram } from "../support/namespace.ts";
import { type Deeds, type Watch, watched } from "../support/opened-files.ts";
import { tmpFolder } from "../support/tmp.ts";

/** Libraries, and what they look at of the system and of their own settings. */
const HARMLESS = /^\/(usr\/lib|lib|lib64|sys\/devices\/system|proc|dev|etc\/(ld\.so|gcrypt|gnutls|ssl))\b/;
const CARELESS_MS = 3_000;

const media = await makeMedia({ kind: "mp4-moov-at-end", durationSec: 1, bytesPerSec: 50_000 });
const film = readFileSync(media.path);
const secret = join(tmpFolder("secret"), "secret.ts");
writeFileSync(secret, "SECRET\n");
const prey: Omit<Prey, "origin"> & { origin: string } = {
  path: secret,
  origin: "http://127.0.0.1:1",
  udpPort: await freePort(),
  mov: film,
};
/** Names alone; contents need the other server's port. */
const names = evilFiles(prey).map((file) => file.name);
const dangerous = new Set<string>();

let other: HttpVictim;
let server: Bun.Server<undefined>;
let requested: string[] = [];
let watch: Watch;
let programs: TestPrograms;
let files: readonly EvilFile[] = [];

beforeAll(async () => {
  other = await httpVictim(always("nothing"));
  prey.origin = `http://127.0.0.1:${other.port}`;
  files = evilFiles(prey);
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  watch = watched(EXEC_PATH);
  programs = await testPrograms({
    execPath: watch.path,
    ffmpegPath: "ffmpeg",
    loopbackPort: () => server.port ?? null,
  });
});

afterAll(async () => {
  await programs.killAll();
  await server.stop(true);
  await other[Symbol.asyncDispose]();
});

/** As the server's own loopback URL: ranges, and nothing but the files. */
function answer(request: Request): Response {
  const { pathname } = new URL(request.url);
  requested.push(pathname);
  const [, at = "", name] = pathname.split("/");
  const content = at === "film" ? film : files[Number(at)]?.content;
  if (content === undefined || name !== "input.idx") return new Response(null, { status: 404 });
  const start = Number(/^bytes=(\d+)-/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
  const headers = { "Content-Range": `bytes ${start}-${content.length - 1}/${content.length}` };
  return new Response(new Uint8Array(content.subarray(start)), { status: 206, headers });
}

const urlOf = (at: number | "film") => `http://127.0.0.1:${server.port}/${at}/input.idx`;

const argvOf = (program: MediaProgram["program"], input: readonly string[]) =>
  program === "ffprobe"
    ? ["-v", "error", ...input, "-show_streams", "-show_packets"]
    : ["-nostdin", "-v", "error", ...input, "-map", "0", "-c", "copy", "-f", "matroska", "pipe:1"];

interface Outcome extends Deeds {
  readonly output: string;
  readonly requested: readonly string[];
  readonly others: number;
}

/** Through torrx-exec, as the server does it. */
async function sandboxed(program: MediaProgram["program"], input: readonly string[]): Promise<Outcome> {
  const before = other.connections();
  requested = [];
  const running = await programs.start({ program, argv: argvOf(program, input) }, { isEncode: false });
  const output = await new Response(running.stdout).text();
  const deeds = await watch.deedsOf(running.pid);
  return { ...deeds, output, requested, others: other.connections() - before };
}

/** Without any of it. */
async function careless(input: readonly string[]): Promise<Outcome> {
  const before = other.connections();
  requested = [];
  const ffmpeg = watched(Bun.which("ffmpeg") ?? "ffmpeg");
  const child = Bun.spawn([ffmpeg.path, ...argvOf("ffmpeg", input)], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    timeout: CARELESS_MS,
    killSignal: "SIGKILL",
  });
  const output = await new Response(child.stdout).text();
  const deeds = await ffmpeg.deedsOf(child.pid);
  return { ...deeds, output, requested, others: other.connections() - before };
}

/** Of whatever was tried. */
function expectOnlyOurs(outcome: Outcome, paths: readonly string[], at: number | "film"): void {
  expect(paths.filter((path) => !HARMLESS.test(path))).toEqual([]);
  expect([...new Set(outcome.requested)]).toEqual([`/${at}/input.idx`]);
  expect([outcome.others, outcome.bound]).toEqual([0, []]);
  expect(outcome.output).not.toContain("SECRET");
}

function reached(outcome: Outcome): EvilFile["reaches"] {
  if (outcome.opened.includes(secret)) return "path";
  if (outcome.others > 0) return "origin";
  if (outcome.bound.some((place) => place.endsWith(`:${prey.udpPort}`))) return "udp";
  return outcome.requested.some((path) => !path.endsWith("/input.idx")) ? "sibling" : null;
}

const suite = hasProgram("strace") ? describeIsolated : describeIsolated.skip;

suite("a film", () => {
  test("is read through the sandbox and our arguments", async () => {
    for (const program of ["ffmpeg", "ffprobe"] as const) {
      const outcome = await sandboxed(program, [...INPUT_OPTIONS, "-i", urlOf("film")]);
      expect(outcome.output.length).toBeGreaterThan(5_000);
      expectOnlyOurs(outcome, outcome.tried, "film");
      expect(new Set(outcome.called)).toEqual(new Set([`127.0.0.1:${server.port}`]));
    }
  });
});

for (const [at, name] of names.entries()) {
  suite(name, () => {
    test("tries to open nothing but what it was handed, for our arguments forbid it", async () => {
      for (const program of ["ffmpeg", "ffprobe"] as const) {
        const outcome = await sandboxed(program, [...INPUT_OPTIONS, "-i", urlOf(at)]);
        expectOnlyOurs(outcome, outcome.tried, at);
        expect(new Set(outcome.called)).toEqual(new Set([`127.0.0.1:${server.port}`]));
      }
    });

    test("opens nothing but what it was handed where our arguments allow it all, for the sandbox does not", async () => {
      const file = files[at]!;
      const outcome = await sandboxed("ffmpeg", [...file.door, "-i", urlOf(at)]);
      // Of our own server it may ask what it likes: there is nothing else.
      expectOnlyOurs({ ...outcome, requested: [`/${at}/input.idx`] }, outcome.opened, at);
    });

    test("would have its way with a careless FFmpeg, or this version refuses by itself", async () => {
      const file = files[at]!;
      const what = reached(await careless([...file.door, "-i", urlOf(at)]));
      expect([file.reaches, null]).toContain(what);
      if (what !== null) dangerous.add(name);
    });
  });
}

suite("these files", () => {
  test("are evil indeed: most of them do their worst to this machine's FFmpeg", () => {
    expect(dangerous.size).toBeGreaterThan(names.length / 2);
  });
});
