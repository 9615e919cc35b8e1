// What people and containers hand us as subtitles: whatever it is, cues come out that a player can take, or none.

import { type Cue, tidied } from "../../src/media/subtitles/cue.ts";
import { decodeText } from "../../src/media/subtitles/decode-text.ts";
import { openTextTracks } from "../../src/media/subtitles/open-text-tracks.ts";
import { parseAss } from "../../src/media/subtitles/parse-ass.ts";
import { parseSrt } from "../../src/media/subtitles/parse-srt.ts";
import { parseVtt } from "../../src/media/subtitles/parse-vtt.ts";
import { sidecarsOf } from "../../src/media/subtitles/sidecar.ts";
import { factsOf, wordsOf } from "../../src/media/subtitles/sidecar-name.ts";
import { timedTextCue } from "../../src/media/subtitles/track-text.ts";
import { vttOf } from "../../src/media/subtitles/write-vtt.ts";
import { CountedSource } from "../unit/media/subtitles/counted-source.ts";
import { element, matroskaFile, uint } from "../unit/media/subtitles/matroska-builder.ts";
import type { AsyncFuzzTarget, FuzzTarget } from "./fuzz.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const all = (...texts: string[]) => texts.map(bytes);
const textOf = (input: Uint8Array) => Buffer.from(input).toString("utf8");

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`broken promise: ${what}`);
}

/** Told to the fuzzer as a refusal, so that it goes on from inputs of which something comes. */
class NothingShown extends Error {}

/** The promises of cue.ts, and that what we write is what we read. */
function checkCues(cues: readonly Cue[]): void {
  let before = Number.NEGATIVE_INFINITY;
  for (const { startSec, endSec, text } of cues) {
    must(startSec >= before && startSec >= 0, "ascending from 0");
    must(/\S/.test(text), "something to see");
    must(endSec > startSec && endSec < 400_000, "ends behind its start");
    must(!/<(?!\/?[biu]>)|&(?!amp;|lt;|gt;)|-->|\n\n|^[ \t\n]|[ \t\n]$/.test(text), `plain text: ${text}`);
    checkNesting(text);
    before = startSec;
  }
  const texts = new Set<string>(cues.map((cue) => cue.text));
  const again = parseVtt(vttOf(cues));
  must(again.length <= cues.length, "no cue more when read back");
  must(
    again.every((cue) => texts.has(cue.text)),
    "the same texts when read back",
  );
  if (cues.length === 0) throw new NothingShown();
}

function checkNesting(text: string): void {
  const open: string[] = [];
  for (const [, slash, tag] of text.matchAll(/<(\/?)([biu])>/g)) {
    if (slash === "") open.push(tag ?? "");
    else must(open.pop() === tag, "nested tags");
  }
  must(open.length === 0, "closed tags");
}

const MARKUP = all(
  "<i>",
  "</i>",
  "<b>",
  "<font color=",
  ">",
  "<",
  "{\\an8}",
  "{\\i1}",
  "{\\p1}",
  "}",
  "&amp;",
  "&#0;",
  "&#x110000;",
  "\u00a0",
);
const TIMES = all(
  " --> ",
  "00:00:01,000",
  "-1:2:3.4",
  "99:59:59.999",
  "999:00:00,0",
  "\n\n",
  "\r",
  "\0",
  "1\n",
  ":",
  "::::::::::",
);

function textTarget(
  name: string,
  parse: (text: string) => Cue[],
  corpus: readonly string[],
  more: Uint8Array[],
): FuzzTarget {
  return {
    name,
    corpus: all(...corpus),
    dictionary: [...TIMES, ...MARKUP, ...more],
    run: (input) => checkCues(parse(textOf(input))),
    isExpected: (error) => error instanceof NothingShown,
  };
}

const SRT =
  "1\n00:00:01,000 --> 00:00:02,000\n<i>One</i> & two\n\n2\n00:00:03,000 --> 00:00:04,000\n{\\an8}Three <b>four <i>five</i> six</b> <u>seven\n";
const VTT = "WEBVTT\n\nNOTE x\n\nid\n00:01.000 --> 00:02.000 line:0 align:start\n<v Bob>One</v> &lt;two\n";
const ASS =
  "[V4+ Styles]\nFormat: Name, Bold, Italic, Alignment\nStyle: Up,-1,0,8\n[Events]\nFormat: Layer, Start, End, Style, Text\n" +
  "Dialogue: 0,0:00:01.00,0:00:02.00,Up,{\\i1\\pos(1,2)}One\\Ntwo{\\p1}m 0 0{\\p0}\n";
const ASS_WORDS = all(
  "Dialogue: ",
  "Format: ",
  "Style: ",
  "[Events]\n",
  ",,,,,,,,",
  "\\N",
  "{\\r}",
  "{\\b900\\an5\\a11}",
  "Text,",
  "Start, ",
);

const decoding: FuzzTarget = {
  name: "decoding of subtitle files",
  corpus: [
    bytes(SRT),
    new Uint8Array([0xff, 0xfe, 0x41, 0]),
    new Uint8Array([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]),
    new Uint8Array([0xa4, 0xa4, 0xa4, 0xe9]),
  ],
  dictionary: [
    new Uint8Array([0xef, 0xbb, 0xbf]),
    new Uint8Array([0xfe, 0xff]),
    new Uint8Array([0x81, 0x30, 0x81, 0x30]),
    new Uint8Array(64),
    bytes("\x1b$B"),
  ],
  run: (input) => must(typeof decodeText(input).text === "string", "text"),
  isExpected: () => false,
};

const lineOf = (track: number, atMs: number, text: string) => ({
  track,
  atMs,
  lastsMs: 500,
  payload: bytes(text),
});
const builtFilm = (cues: "full" | "no_places" | "none", codecId: string) =>
  matroskaFile({
    tracks: [{ number: 1, codecId, codecPrivate: ASS }],
    clusters: [
      [lineOf(1, 0, "0,0,Up,,0,0,0,,One"), lineOf(1, 1_000, "Two")],
      [lineOf(2, 2_000, "other"), lineOf(1, 3_000, "Three")],
    ],
    cues,
  });

const WINDOWS = [
  [0, 1],
  [2, 4],
  [0, Number.POSITIVE_INFINITY],
] as const;

/** A whole file: however it is broken, what is read of it are cues. */
const matroska: AsyncFuzzTarget = {
  name: "text tracks of Matroska",
  corpus: [
    builtFilm("full", "S_TEXT/UTF8"),
    builtFilm("no_places", "S_TEXT/ASS"),
    builtFilm("none", "S_TEXT/WEBVTT"),
    matroskaFile({
      tracks: [
        { number: 1, codecId: "S_TEXT/UTF8", encodings: element(0x6240, element(0x5034, uint(0x4254, 3))) },
      ],
      clusters: [[lineOf(1, 0, "One")]],
      cues: "full",
    }),
  ],
  dictionary: [
    ...[0x1f43b675, 0x1c53bb6b, 0xbb, 0xa0, 0xa3, 0xe7].map((id) => element(id)),
    element(
      0xbb,
      uint(0xb3, 1_000),
      element(0xb7, uint(0xf7, 1), uint(0xf1, 9), uint(0xf0, 4), uint(0xb2, 500)),
    ),
    new Uint8Array([0x1f, 0x43, 0xb6, 0x75, 0xff]),
    new Uint8Array([0xff, 0xff, 0xff, 0xff]),
    new Uint8Array([0x01, 0, 0, 0, 0, 0, 0, 1]),
    new Uint8Array([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  ],
  async run(input) {
    const signal = AbortSignal.timeout(60_000);
    const tracks = await openTextTracks(new CountedSource(input), "matroska", signal);
    let shown = 0;
    for (const reader of tracks.values())
      for (const [fromSec, toSec] of WINDOWS) {
        const cues = tidied((await reader.read(fromSec, toSec, signal)) ?? []);
        if (cues.length > 0) checkCues(cues);
        shown += cues.length;
      }
    if (shown === 0) throw new NothingShown();
  },
  isExpected: (error) => error instanceof NothingShown,
};

const timedText: FuzzTarget = {
  name: "timed text of MP4",
  corpus: [
    new Uint8Array([0, 3, 0x41, 0x42, 0x43]),
    new Uint8Array([
      0, 2, 0x41, 0x42, 0, 0, 0, 22, 0x73, 0x74, 0x79, 0x6c, 0, 1, 0, 0, 0, 1, 0, 1, 2, 9, 0, 0, 0, 0,
    ]),
  ],
  dictionary: [
    bytes("styl"),
    new Uint8Array([0, 0, 0, 8]),
    new Uint8Array([0xff, 0xff]),
    new Uint8Array([0xfe, 0xff]),
  ],
  run(input) {
    const cue = timedTextCue({ payload: input, addition: null, startSec: 1, endSec: 2 });
    checkCues(cue === null || cue.text === "" ? [] : [cue]);
  },
  isExpected: (error) => error instanceof NothingShown,
};

const names: FuzzTarget = {
  name: "names of subtitle files",
  corpus: all("Film/Film.en.forced.srt", "Show/Subs/Show.S01E01/2_English.srt", "a/Show - 01 [1080p].ass"),
  dictionary: all("/", ".", ".srt", " - ", "S01E01", "1x02", "en", "..", "[", "\u0301", "pt-BR"),
  run(input) {
    const path = textOf(input);
    const files = [path, "Film/Film.mkv", "Film/Other.mkv", "Film/Film.srt"].map((name, index) => ({
      index,
      path: name,
      lengthBytes: 1,
    }));
    must(
      sidecarsOf(files, "Film/Film.mkv").some((sidecar) => sidecar.path === "Film/Film.srt"),
      "the film's own is found",
    );
    factsOf(wordsOf(path));
  },
  isExpected: () => false,
};

export const SUBTITLE_TARGETS: readonly FuzzTarget[] = [
  textTarget("SubRip", parseSrt, [SRT, "00:01 --> 00:02\n42"], []),
  textTarget(
    "WebVTT",
    parseVtt,
    [VTT],
    all("WEBVTT\n", "NOTE", "STYLE", "<c.a.b>", "<00:00:01.000>", "line:", "region:"),
  ),
  textTarget("ASS", parseAss, [ASS, ASS.replace("V4+", "V4")], ASS_WORDS),
  timedText,
  names,
];

export const ASYNC_SUBTITLE_TARGETS: readonly AsyncFuzzTarget[] = [matroska];

/** Each input costs milliseconds: all encodings are weighed. */
export const SLOW_SUBTITLE_TARGETS: readonly FuzzTarget[] = [decoding];
