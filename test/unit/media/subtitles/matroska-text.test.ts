// Text tracks of Matroska files built by hand. Real files: embedded.test.ts.

import { describe, expect, test } from "bun:test";
import { deflateSync } from "node:zlib";
import { openTextTracks } from "../../../../src/media/subtitles/open-text-tracks.ts";
import { CountedSource } from "./counted-source.ts";
import { type BuiltBlock, type BuiltFile, element, matroskaFile, uint } from "./matroska-builder.ts";

const signal = new AbortController().signal;
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const FILM = new Uint8Array(20_000).fill(0x55);

function line(
  atMs: number,
  lastsMs: number | null,
  text: string,
  more: Partial<BuiltBlock> = {},
): BuiltBlock {
  return { track: 1, atMs, lastsMs, payload: bytes(text), ...more };
}

/** Frames of a film between the lines. */
const frame = (atMs: number): BuiltBlock => ({ track: 2, atMs, lastsMs: null, payload: FILM });

const CLUSTERS = [
  [frame(0), line(1_000, 2_000, "One"), frame(2_000), line(4_000, 20_000, "Long")],
  [frame(10_000), frame(12_000), line(14_000, 1_000, "Two")],
  [frame(20_000), line(21_000, 1_000, "Three"), line(29_500, 1_000, "Four")],
  [frame(30_000), line(31_000, 1_000, "Five")],
];
const SUBRIP = { number: 1, codecId: "S_TEXT/UTF8" };
const VIDEO = { number: 2, codecId: "V_TEST" };

async function opened(file: Partial<BuiltFile>) {
  const source = new CountedSource(
    matroskaFile({ tracks: [SUBRIP, VIDEO], clusters: CLUSTERS, cues: "full", ...file }),
  );
  const tracks = await openTextTracks(source, "matroska", signal);
  source.forget();
  return { source, tracks, reader: tracks.get(0) };
}

async function textsOf(
  file: Partial<BuiltFile>,
  fromSec: number,
  toSec: number,
): Promise<string[] | undefined> {
  const { reader } = await opened(file);
  return (await reader?.read(fromSec, toSec, signal))?.map((cue) => `${cue.text}`);
}

describe("text tracks of Matroska", () => {
  for (const cues of ["full", "no_durations", "no_places", "none"] as const) {
    test(`a window has the cues that begin in it (Cues: ${cues})`, async () => {
      expect(await textsOf({ cues }, 21, 30)).toEqual(
        // What began long before is found where its duration is told, or where all that lies before was read.
        cues === "full" || cues === "none" ? ["Long", "Three", "Four"] : ["Three", "Four"],
      );
      expect(await textsOf({ cues, hasUnknownSizes: true }, 29, 32)).toEqual(["Four", "Five"]);
      expect(await textsOf({ cues }, 0, Number.POSITIVE_INFINITY)).toHaveLength(6);
      expect(await textsOf({ cues }, 32, 40)).toEqual([]);
    });
  }

  test("times are the blocks' own, in the file's scale", async () => {
    const { reader } = await opened({});
    const cues = (await reader?.read(14, 15, signal)) ?? [];
    expect(cues.map(({ startSec, endSec }) => [startSec, endSec])).toEqual([
      [4, 24],
      [14, 15],
    ]);
  });

  test("with full Cues a window costs a read of a kilobyte per line, and a dozen bytes per cluster", async () => {
    const { reader, source } = await opened({});
    await reader?.read(21, 30, signal);
    expect(source.reads.map(({ lengthBytes }) => lengthBytes).sort((a, b) => a - b)).toEqual([
      12, 12, 1024, 1024, 1024,
    ]);
  });

  test("without Cues no cluster behind the window is read but for its head", async () => {
    const { reader, source } = await opened({ cues: "none" });
    await reader?.read(0, 10, signal);
    const second = source.lengthBytes - 3 * 20_000;
    expect(source.span.end).toBeLessThan(second);
  });

  test("without Cues a place far from all that is known is not looked for", async () => {
    const { reader } = await opened({ cues: "none" });
    expect(await reader?.read(61, 65, signal)).toBeNull();
    // The way there makes its clusters known.
    await reader?.read(0, 40, signal);
    expect(await reader?.read(61, 65, signal)).toEqual([]);
  });

  test("Cues that name a wrong place are mended by looking through the cluster", async () => {
    const file = matroskaFile({
      tracks: [SUBRIP],
      clusters: [[line(1_000, 1_000, "One"), line(2_000, 500, "Two")]],
      cues: "full",
    });
    const at = Buffer.from(file).indexOf(Buffer.from([0xf0, 1, 0, 0, 0, 0, 0, 0, 4]));
    file[at + 12] = 3;
    const tracks = await openTextTracks(new CountedSource(file), "matroska", signal);
    const cues = await tracks.get(0)?.read(0, 10, signal);
    expect(cues?.map((cue) => `${cue.text}`)).toContain("One");
  });

  test("zlib and stripped headers are undone; what is packed otherwise is left to ffmpeg", async () => {
    const encoding = (...compression: Uint8Array[]) => element(0x6240, element(0x5034, ...compression));
    const packed = [line(0, 1_000, "", { payload: new Uint8Array(deflateSync("Packed")) })];
    const tracks = (encodings: Uint8Array) => ({ tracks: [{ ...SUBRIP, encodings }] });
    expect(await textsOf({ ...tracks(encoding()), clusters: [packed] }, 0, 9)).toEqual(["Packed"]);
    const stripped = encoding(uint(0x4254, 3), element(0x4255, bytes("Pre")));
    expect(await textsOf({ ...tracks(stripped), clusters: [[line(0, 1_000, "fix")]] }, 0, 9)).toEqual([
      "Prefix",
    ]);
    expect((await opened({ ...tracks(encoding(uint(0x4254, 1))) })).reader).toBeUndefined();
    expect((await opened({ ...tracks(element(0x6240, uint(0x5033, 1))) })).reader).toBeUndefined();
    // Damaged or blown up beyond what a line may be: a cue less.
    const bomb = [
      line(0, 1_000, "", { payload: new Uint8Array(deflateSync(Buffer.alloc(1_000_000, 0x41))) }),
      line(2_000, 500, "x"),
    ];
    expect(await textsOf({ ...tracks(encoding()), clusters: [bomb] }, 0, 9)).toEqual([]);
  });

  test("ASS blocks take their style from the head of the script", async () => {
    const head =
      "[V4+ Styles]\nFormat: Name, Italic, Alignment\nStyle: Up,-1,8\n[Events]\nFormat: Layer, Start, End, Style, Text\n";
    const { reader } = await opened({
      tracks: [{ number: 1, codecId: "S_TEXT/ASS", codecPrivate: head }],
      clusters: [[line(500, 1_000, "0,0,Up,,0,0,0,,Sign, {\\i0}post\\Nbox")]],
    });
    const [cue] = (await reader?.read(0, 9, signal)) ?? [];
    expect([cue?.startSec, cue?.text as string, cue?.settings]).toEqual([
      0.5,
      "<i>Sign,</i> post\nbox",
      "line:0",
    ]);
  });

  test("WebVTT, as Matroska and as WebM have it", async () => {
    const clusters = [[line(0, 1_000, "<v A>Hi</v>", { addition: "line:0 align:left\nid\n" })]];
    const { reader } = await opened({ tracks: [{ number: 1, codecId: "S_TEXT/WEBVTT" }], clusters });
    expect(await reader?.read(0, 9, signal)).toEqual([
      { startSec: 0, endSec: 1, text: "Hi", settings: "line:0 align:left" } as never,
    ]);
    const webm = await opened({
      tracks: [{ number: 1, codecId: "D_WEBVTT/SUBTITLES" }],
      clusters: [[line(0, 1_000, "id\nline:0\nHi\nyou")]],
    });
    expect(await webm.reader?.read(0, 9, signal)).toEqual([
      { startSec: 0, endSec: 1, text: "Hi\nyou", settings: "line:0" } as never,
    ]);
  });

  test("pictures have no reader, and a stream keeps its number beside them", async () => {
    const { tracks } = await opened({ tracks: [{ number: 3, codecId: "S_HDMV/PGS" }, SUBRIP], clusters: [] });
    expect([...tracks.keys()]).toEqual([]);
    const second = await opened({ tracks: [{ number: 3, codecId: "S_HDMV/PGS" }, SUBRIP] });
    expect([...second.tracks.keys()]).toEqual([1]);
  });

  test("a file cut off anywhere gives what it has, and no error but the source's", async () => {
    const whole = matroskaFile({
      tracks: [SUBRIP],
      clusters: [[line(0, 1_000, "One"), line(2_000, 1_000, "Two")]],
      cues: "full",
    });
    for (let length = 0; length < whole.length; length++) {
      const tracks = await openTextTracks(new CountedSource(whole.slice(0, length)), "matroska", signal);
      const cues = await tracks.get(0)?.read(0, 10, signal);
      expect(cues?.length ?? 0).toBeLessThanOrEqual(2);
    }
  });
});
