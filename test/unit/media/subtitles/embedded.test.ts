// Text tracks of real files, against the lines that they were made of.

import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { TorrxError } from "../../../../src/base/errors.ts";
import type { Container, MediaProcess, MediaPrograms, SubtitleTrack } from "../../../../src/media/ports.ts";
import type { Cue } from "../../../../src/media/subtitles/cue.ts";
import { EmbeddedSubtitles } from "../../../../src/media/subtitles/embedded.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { serveFile } from "../../../support/media-http.ts";
import { PlainMediaPrograms } from "../../../support/media-programs.ts";
import { FILM_LINES, FILM_SEC, type SubtitleFilm, subtitleFilm } from "../../../support/subtitle-films.ts";
import { CountedSource } from "./counted-source.ts";

const WITHIN_MS = 120_000;
const signal = new AbortController().signal;
const programs = new PlainMediaPrograms();
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  programs.started.length = 0;
});

interface OpenOptions {
  readonly container?: Container;
  readonly isComplete?: boolean;
  readonly availableBytes?: number;
  readonly programs?: MediaPrograms;
  /** There is no place for a program. */
  readonly isFull?: boolean;
}

/** The film with its bytes as source, and under a URL. */
async function opened(name: SubtitleFilm, options: OpenOptions = {}) {
  const path = await subtitleFilm(name);
  const bytes = new Uint8Array(readFileSync(path));
  const source = new CountedSource(bytes, options.availableBytes ?? bytes.length);
  const served = serveFile(path);
  let inputsOpen = 0;
  const clock = new FakeClock();
  let places = 0;
  const subtitles = new EmbeddedSubtitles({
    source,
    clock,
    takePlace: () => {
      if (options.isFull === true) return Promise.reject(new TorrxError("busy", "transcode_busy: full"));
      places++;
      return Promise.resolve({ release: () => places-- });
    },
    container: options.container ?? (/mp4$/.test(name) ? "mp4" : "matroska"),
    programs: options.programs ?? programs,
    openInput: () => {
      inputsOpen++;
      return { url: served.url, close: () => inputsOpen-- };
    },
    isComplete: () => options.isComplete ?? false,
  });
  closers.push(
    () => served.stop(),
    () => subtitles.close(),
  );
  return { source, served, subtitles, clock, inputsOpen: () => inputsOpen, places: () => places };
}

function textTrack(stream: number, codec: string): SubtitleTrack {
  return {
    kind: "subtitle",
    stream,
    index: 0,
    codec,
    isText: true,
    language: null,
    title: null,
    isDefault: false,
    isForced: false,
  };
}

const plain = ({ startSec, endSec, text }: Cue) => [
  round(startSec),
  round(endSec),
  text.replace(/<[^>]*>/g, ""),
];
const round = (sec: number) => Math.round(sec * 100) / 100;
const expected = (fromSec: number, toSec: number, shiftSec = 0) =>
  FILM_LINES.filter(([from, to]) => from < toSec && to > fromSec).map(([from, to, text]) => [
    round(from + shiftSec),
    round(to + shiftSec),
    text.replace(/<[^>]*>/g, "").replace("&", "&amp;"),
  ]);
/** mov_text cannot show two lines at once: ffmpeg ends the first where the second begins. */
const startsAndTexts = (cues: readonly (readonly unknown[])[]) => cues.map(([from, , text]) => [from, text]);

const TRACKS = [
  ["text.mkv", 2, "subrip"],
  ["text.mkv", 3, "ass"],
  ["no-cues.mkv", 2, "subrip"],
  ["text.webm", 1, "webvtt"],
] as const;

describe("embedded text tracks", () => {
  for (const [name, stream, codec] of TRACKS) {
    test(
      `${name}, ${codec}: windows in order give every line with its own times`,
      async () => {
        const { subtitles } = await opened(name);
        const track = subtitles.track(textTrack(stream, codec));
        for (let fromSec = 0; fromSec < FILM_SEC; fromSec += 4) {
          const cues = await track?.cues(fromSec, fromSec + 4, signal);
          expect(cues?.map(plain)).toEqual(expected(fromSec, fromSec + 4));
        }
        expect(track?.known.ranges).toEqual([{ fromSec: 0, toSec: FILM_SEC }]);
        expect(track?.known.cues).toHaveLength(FILM_LINES.length);
      },
      WITHIN_MS,
    );
  }

  test(
    "a window in the middle has the line that began long before",
    async () => {
      for (const [name, stream, codec] of [
        ["text.mkv", 2, "subrip"],
        ["text.mkv", 3, "ass"],
        ["text.webm", 1, "webvtt"],
      ] as const) {
        const { subtitles } = await opened(name);
        const cues = await subtitles.track(textTrack(stream, codec))?.cues(12, 16, signal);
        expect([name, cues?.map(plain)]).toEqual([name, expected(12, 16)]);
      }
    },
    WITHIN_MS,
  );

  for (const name of ["text.mp4", "faststart.mp4"] as const) {
    test(
      `${name}: lines from the sample table, in any window`,
      async () => {
        const { subtitles } = await opened(name);
        const track = subtitles.track(textTrack(2, "mov_text"));
        for (const [fromSec, toSec] of [
          [20, 24],
          [34, 38],
          [0, 4],
          [4, 10],
        ] as const) {
          const cues = (await track?.cues(fromSec, toSec, signal)) ?? [];
          const starting = cues.filter((cue) => cue.startSec >= fromSec);
          const wanted = expected(fromSec, toSec).filter(([from]) => (from as number) >= fromSec);
          expect(startsAndTexts(starting.map(plain))).toEqual(startsAndTexts(wanted));
        }
        const styled = (await track?.cues(4, 10, signal))?.find((cue) => cue.startSec === 5);
        expect(styled?.text as string).toStartWith("<i>Overlapping</i> &amp; more");
      },
      WITHIN_MS,
    );
  }

  test(
    "a film whose clock does not begin at 0 keeps it",
    async () => {
      const { subtitles } = await opened("late.mkv");
      const cues = await subtitles.track(textTrack(2, "subrip"))?.cues(100, 110, signal);
      expect(cues?.map(plain)).toEqual(expected(0, 10, 100));
    },
    WITHIN_MS,
  );

  test(
    "a window reads some kilobytes, and no byte far from the film's own of that time",
    async () => {
      for (const [name, stream, codec] of [
        ["text.mkv", 2, "subrip"],
        ["faststart.mp4", 2, "mov_text"],
      ] as const) {
        const { subtitles, source } = await opened(name);
        const track = subtitles.track(textTrack(stream, codec));
        await track?.cues(0, 1, signal);
        source.forget();
        await track?.cues(20, 24, signal);
        expect(source.readBytes).toBeLessThan(4_096);
        const middle = source.lengthBytes / 2;
        expect(source.span.start).toBeGreaterThan(middle * 0.8);
        expect(source.span.end).toBeLessThan(middle * 1.2);
        source.forget();
        // What is known is not read again, nor is what holds nothing.
        await track?.cues(20, 24, signal);
        await track?.cues(28, 34, signal);
        expect(source.reads).toEqual([]);
      }
      expect(programs.started).toEqual([]);
    },
    WITHIN_MS,
  );

  test(
    "waits for the bytes of its own window alone, and gives up with the one who asked",
    async () => {
      const { subtitles, source } = await opened("faststart.mp4", { availableBytes: 0 });
      const track = subtitles.track(textTrack(2, "mov_text"));
      const early = track?.cues(0, 2, signal);
      const leaving = new AbortController();
      const late = track?.cues(34, 38, leaving.signal);
      source.arrive(Math.floor(source.lengthBytes * 0.3));
      expect((await early)?.map(plain)).toEqual(expected(0, 2));
      leaving.abort(new Error("gone"));
      await expect(late).rejects.toThrow("gone");
      expect(track?.known.ranges).toEqual([{ fromSec: 0, toSec: 2 }]);
      source.arrive(source.lengthBytes);
      expect((await track?.cues(35, 38, signal))?.map(plain)).toEqual(expected(35, 38));
    },
    WITHIN_MS,
  );

  test(
    "while the file is incomplete, long stretches and tracks for ffmpeg alone are refused as not ready",
    async () => {
      const { subtitles } = await opened("text.mkv");
      const track = subtitles.track(textTrack(2, "subrip"));
      await expect(track?.cues(0, 121, signal)).rejects.toMatchObject({ code: "not_ready" });
      const fragments = await opened("fragments.mp4");
      const other = fragments.subtitles.track(textTrack(1, "mov_text"));
      await expect(other?.cues(0, 4, signal)).rejects.toMatchObject({ code: "not_ready" });
      expect(await other?.isReadableInWindows(signal)).toBe(false);
      expect(await track?.isReadableInWindows(signal)).toBe(true);
      expect(programs.started).toEqual([]);
    },
    WITHIN_MS,
  );

  test(
    "of a complete file the whole track comes at once, without a process where we can read it",
    async () => {
      for (const [name, stream, codec] of TRACKS) {
        const { subtitles } = await opened(name, { isComplete: true });
        const cues = await subtitles
          .track(textTrack(stream, codec))
          ?.cues(0, Number.POSITIVE_INFINITY, signal);
        expect([name, cues?.map(plain)]).toEqual([name, expected(0, FILM_SEC)]);
      }
      expect(programs.started).toEqual([]);
    },
    WITHIN_MS,
  );

  test(
    "what only ffmpeg reads comes through it when the file is complete: one process, asked for once",
    async () => {
      const { subtitles, inputsOpen } = await opened("fragments.mp4", { isComplete: true });
      const track = subtitles.track(textTrack(1, "mov_text"));
      const answers = await Promise.all(
        [0, 4, 8].map((fromSec) => track?.cues(fromSec, fromSec + 4, signal)),
      );
      expect(startsAndTexts((answers[0] ?? []).map(plain))).toEqual(startsAndTexts(expected(0, 4)));
      expect(track?.known.ranges).toEqual([{ fromSec: 0, toSec: Number.POSITIVE_INFINITY }]);
      expect(programs.started).toHaveLength(1);
      expect([programs.running, inputsOpen()]).toEqual([0, 0]);
    },
    WITHIN_MS,
  );

  test(
    "ASS and SubRip through ffmpeg are what our own readers give",
    async () => {
      for (const [stream, codec] of [
        [2, "subrip"],
        [3, "ass"],
      ] as const) {
        const { subtitles } = await opened("text.mkv", { container: "other", isComplete: true });
        const cues = await subtitles.track(textTrack(stream, codec))?.cues(0, 100, signal);
        const own = await opened("text.mkv");
        expect(cues).toEqual(await own.subtitles.track(textTrack(stream, codec))?.cues(0, 100, signal));
      }
    },
    WITHIN_MS,
  );

  test(
    "two tracks through ffmpeg go one after the other",
    async () => {
      let running = 0;
      let most = 0;
      const counting: MediaPrograms = {
        start: async (program, startOptions) => {
          most = Math.max(most, ++running);
          const child: MediaProcess = await programs.start(program);
          void startOptions;
          void child.exited.then(() => running--);
          return child;
        },
      };
      const { subtitles } = await opened("text.mkv", {
        container: "other",
        isComplete: true,
        programs: counting,
      });
      const tracks = [subtitles.track(textTrack(2, "subrip")), subtitles.track(textTrack(3, "ass"))];
      await Promise.all(tracks.map((track) => track?.cues(0, 4, signal)));
      expect([most, running]).toEqual([1, 0]);
    },
    WITHIN_MS,
  );

  test(
    "a failing ffmpeg is an honest error, and the next who asks tries again",
    async () => {
      const { subtitles, inputsOpen } = await opened("text.mkv", { container: "other", isComplete: true });
      const none = subtitles.track(textTrack(9, "subrip"));
      for (let i = 0; i < 2; i++)
        await expect(none?.cues(0, 4, signal)).rejects.toMatchObject({ code: "unsupported_media" });
      expect([programs.running, inputsOpen()]).toEqual([0, 0]);
    },
    WITHIN_MS,
  );

  test(
    "ffmpeg has its place among the programs, and ends a moment after nobody waits for it any more",
    async () => {
      const started = Promise.withResolvers<MediaProcess>();
      const watched: MediaPrograms = {
        start: async () => {
          const argv = ["-v", "quiet", "-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-"];
          const child = await programs.start({ program: "ffmpeg", argv });
          started.resolve(child);
          return child;
        },
      };
      const options = { container: "other", isComplete: true, programs: watched } as const;
      const { subtitles, clock, places, inputsOpen } = await opened("text.mkv", options);
      const track = subtitles.track(textTrack(2, "subrip"));
      const leaving = new AbortController();
      const waiting = track?.cues(0, 4, leaving.signal);
      const child = await started.promise;
      expect([places(), inputsOpen()]).toEqual([1, 1]);
      leaving.abort(new Error("gone"));
      await expect(waiting).rejects.toThrow("gone");
      clock.advance(9_000);
      expect(programs.running).toBe(1);
      clock.advance(1_000);
      expect((await child.exited).isKilled).toBe(true);
      while (places() + inputsOpen() > 0) await clock.settle();
    },
    WITHIN_MS,
  );

  test(
    "where there is no place for ffmpeg none is started",
    async () => {
      const { subtitles } = await opened("text.mkv", { container: "other", isComplete: true, isFull: true });
      const cues = subtitles.track(textTrack(2, "subrip"))?.cues(0, 4, signal);
      await expect(cues).rejects.toMatchObject({ code: "busy" });
      expect(programs.started).toEqual([]);
    },
    WITHIN_MS,
  );

  test(
    "closing ends a running ffmpeg and what waits for it",
    async () => {
      const started = Promise.withResolvers<MediaProcess>();
      const watched: MediaPrograms = {
        start: async () => {
          const child = await programs.start({
            program: "ffmpeg",
            argv: ["-v", "quiet", "-re", "-f", "lavfi", "-i", "anullsrc", "-f", "null", "-"],
          });
          started.resolve(child);
          return child;
        },
      };
      const { subtitles, inputsOpen } = await opened("text.mkv", {
        container: "other",
        isComplete: true,
        programs: watched,
      });
      const waiting = subtitles
        .track(textTrack(2, "subrip"))
        ?.cues(0, 4, signal)
        .catch((error: unknown) => error);
      const child = await started.promise;
      subtitles.close();
      expect(await waiting).toMatchObject({ code: "not_found" });
      expect((await child.exited).isKilled).toBe(true);
      expect(inputsOpen()).toBe(0);
    },
    WITHIN_MS,
  );

  test(
    "pictures have no track; the same track is the same object",
    async () => {
      const { subtitles } = await opened("text.mkv");
      expect(subtitles.track(textTrack(4, "hdmv_pgs_subtitle"))).toBeNull();
      expect(subtitles.track(textTrack(4, "dvd_subtitle"))).toBeNull();
      expect(subtitles.track(textTrack(2, "subrip"))).toBe(subtitles.track(textTrack(2, "subrip"))!);
    },
    WITHIN_MS,
  );
});
