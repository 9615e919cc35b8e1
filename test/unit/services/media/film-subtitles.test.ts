// Subtitles beside and inside a film, read over a real socket.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Server, serve } from "bun";
import { silentLog } from "../../../../src/base/log.ts";
import { systemRandom } from "../../../../src/base/random.ts";
import { type Cue, type MediaProbe, readMediaIndex } from "../../../../src/media/index.ts";
import { FilmSubtitles, type SubtitledFilm } from "../../../../src/services/media/film-subtitles.ts";
import { LoopbackInputs } from "../../../../src/services/media/loopback-inputs.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { makeFilm } from "../../../support/media-files.ts";
import { PlainMediaPrograms } from "../../../support/media-programs.ts";
import { useTempDirectories } from "../../../support/temp-directory.ts";
import { FACTS, TORRENT } from "./film-facts.ts";

const tempDirectory = useTempDirectories();
const READER = { viewer: "somebody", clientAddress: "192.0.2.1" };
const SRT =
  "1\n00:00:01,000 --> 00:00:02,000\nbeside & one\n\n2\n00:00:05,000 --> 00:00:06,000\nbeside two\n";
/** Numbers of the files in the torrent. */
const [FILM, SIDECAR] = [0, 1];

describe("subtitles", () => {
  let server: Server<undefined>;
  let inputs: LoopbackInputs;
  let isComplete: boolean;
  let requests: number;
  let listings: number;
  let clock: FakeClock;
  /** Settled by a test that wants answers to wait. */
  let gate: Promise<void>;
  let failing: boolean;
  let film: SubtitledFilm;
  let subtitles: FilmSubtitles;

  beforeEach(async () => {
    const folder = tempDirectory();
    const subtitle = { codec: "srt", language: "en" } as const;
    const path = await makeFilm(folder, { name: "film.mkv", durationSec: 8, subtitles: [subtitle] });
    writeFileSync(join(folder, "film.ru.srt"), SRT);
    const paths = [path, join(folder, "film.ru.srt")];
    requests = 0;
    listings = 0;
    gate = Promise.resolve();
    failing = false;
    isComplete = false;
    server = serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        requests++;
        await gate;
        const url = new URL(request.url);
        const file = Number(url.pathname.split("/").at(-1));
        if (
          inputs.admit(url.searchParams.get("token") ?? "", { torrent: TORRENT, file }) === null ||
          failing
        ) {
          return Response.json({ error: { code: "not_found", message: "gone" } }, { status: 404 });
        }
        const [, start, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.get("range") ?? "") ?? [];
        return new Response(readFileSync(paths[file]!).subarray(Number(start), Number(end) + 1), {
          status: 206,
        });
      },
    });
    clock = new FakeClock();
    inputs = new LoopbackInputs({
      clock,
      random: systemRandom,
      origin: () => `http://127.0.0.1:${server.port}`,
    });
    const listed = paths.map((name, index) => ({
      index,
      path: `Film/${name.slice(folder.length + 1)}`,
      lengthBytes: statSync(name).size,
    }));
    const file = { torrent: TORRENT, file: FILM!, lengthBytes: listed[0]!.lengthBytes };
    const bytes = readFileSync(path);
    const source = {
      lengthBytes: bytes.length,
      read: (at: number, length: number) => Promise.resolve(new Uint8Array(bytes.subarray(at, at + length))),
    };
    const index = await readMediaIndex(source, new AbortController().signal);
    const [text, picture] = FACTS.probe.subtitles;
    const stream = index.tracks.find(({ kind }) => kind === "subtitle")!.stream;
    const probe: MediaProbe = { ...FACTS.probe, subtitles: [{ ...text!, stream }, picture!] };
    film = { file, facts: { index, probe } };
    subtitles = new FilmSubtitles({
      listFiles: () => {
        listings++;
        return listed;
      },
      isComplete: () => isComplete,
      inputs,
      programs: new PlainMediaPrograms(),
      clock,
      log: silentLog,
      takePlace: () => Promise.resolve({ release: () => undefined }),
    });
  });
  afterEach(async () => {
    subtitles.close();
    await server.stop(true);
  });

  const { signal } = new AbortController();
  const cuesOf = (index: number, stretch: { fromSec: number; toSec: number } | null = null) => {
    const one = subtitles.list(film).find((listed) => listed.index === index)!;
    return subtitles.cues(film, one, { reader: READER, signal, stretch });
  };
  const textsOf = (cues: readonly Cue[]) => cues.map(({ text }): string => text);

  test("those that can be played are listed; pictures are not", async () => {
    expect(subtitles.list(film).map(({ index, kind }) => [index, kind])).toEqual([
      [0, "embedded"],
      [1, "embedded"],
      [2, "sidecar"],
    ]);
    const playable = await subtitles.playable(film, READER, signal);
    expect(playable.map(({ index }) => index)).toEqual([0, 2]);
    await expect(cuesOf(1)).rejects.toMatchObject({ code: "unsupported_media" });
  });

  test("a file beside the film is read once, for all who ask", async () => {
    const [one, two] = await Promise.all([cuesOf(2), cuesOf(2, { fromSec: 0, toSec: 3 })]);
    expect(textsOf(one)).toEqual(["beside &amp; one", "beside two"]);
    expect(two).toBe(one);
    await cuesOf(2);
    expect(requests).toBe(1);
    subtitles.forget("cd".repeat(20));
    await cuesOf(2);
    expect(requests).toBe(1);
    subtitles.forget(TORRENT);
    await cuesOf(2);
    expect(requests).toBe(2);
  });

  test("a file beside the film is not read again later, and leaves no timer", async () => {
    await cuesOf(2);
    expect(clock.pendingTimers).toBe(0);
    clock.advance(60_000);
    await cuesOf(2);
    expect(requests).toBe(1);
  });

  test("the end of the torrent, or of the server, ends the reading of files beside it", async () => {
    gate = new Promise(() => undefined);
    const first = cuesOf(2);
    await clock.settle();
    subtitles.forget(TORRENT);
    await expect(first).rejects.toMatchObject({ code: "not_found" });
    const second = cuesOf(2);
    await clock.settle();
    subtitles.close();
    await expect(second).rejects.toMatchObject({ code: "not_found" });
  });

  test("what lies beside the film is found out once", () => {
    for (let n = 0; n < 5; n++) subtitles.list(film);
    expect(listings).toBe(1);
    subtitles.forget(TORRENT);
    expect(subtitles.list(film)).toHaveLength(3);
    expect(listings).toBe(2);
  });

  test("tell which file is waited for", () => {
    const places = subtitles.list(film).map((one) => subtitles.placeOf(film, one).file);
    expect(places).toEqual([FILM!, FILM!, SIDECAR!]);
  });

  test("tracks whose head cannot be read are left out, not the film; a player that leaves is no such case", async () => {
    failing = true;
    const playable = await subtitles.playable(film, READER, signal);
    expect(playable.map(({ index }) => index)).toEqual([2]);
    gate = new Promise(() => undefined);
    const leaving = new AbortController();
    const waiting = subtitles.playable(film, READER, leaving.signal);
    await clock.settle();
    leaving.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
  });

  test("one that could not be read is read again by the next who asks", async () => {
    failing = true;
    await expect(cuesOf(SIDECAR! + 1)).rejects.toMatchObject({ code: "not_found" });
    failing = false;
    expect(await cuesOf(2)).toHaveLength(2);
  });

  test("inside an incomplete film the whole is what was read so far; of a complete one all of it", async () => {
    expect(await cuesOf(0)).toEqual([]);
    const early = await cuesOf(0, { fromSec: 0, toSec: 3 });
    expect(early.length).toBeGreaterThan(0);
    for (const { startSec } of early) expect(startSec).toBeLessThan(3);
    expect(textsOf(await cuesOf(0))).toEqual(textsOf(early));
    isComplete = true;
    const all = await cuesOf(0);
    expect(all.length).toBeGreaterThan(early.length);
    expect(inputs.readBytesOf(film.file)).toBe(0);
  });
});
