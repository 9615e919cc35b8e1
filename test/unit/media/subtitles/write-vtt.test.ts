import { describe, expect, test } from "bun:test";
import { parseSrt } from "../../../../src/media/subtitles/parse-srt.ts";
import { parseVtt } from "../../../../src/media/subtitles/parse-vtt.ts";
import { vttOf } from "../../../../src/media/subtitles/write-vtt.ts";
import { runProcess } from "../../../support/process.ts";
import { useTempDirectories } from "../../../support/temp-directory.ts";

const directory = useTempDirectories();

const SRT = [
  "00:00:01,000 --> 00:00:09,000\n<i>Long</i> & <b>wide</b>",
  "00:00:03,000 --> 00:00:04,500\n{\\an8}a --> b < c\nsecond line",
  "00:00:08,000 --> 00:00:12,000\nLate",
  "01:40:00,000 --> 01:40:01,000\nVery late",
].join("\n\n");
const CUES = parseSrt(SRT);
const linesOf = (vtt: string) => parseVtt(vtt).map((cue) => `${cue.text}`);

describe("writing WebVTT", () => {
  test("head, times to the millisecond, settings, escaped text", () => {
    expect(vttOf(CUES.slice(0, 2))).toBe(
      "WEBVTT\n\n00:00:01.000 --> 00:00:09.000\n<i>Long</i> &amp; <b>wide</b>\n\n" +
        "00:00:03.000 --> 00:00:04.500 line:0\na --&gt; b &lt; c\nsecond line\n",
    );
    expect(vttOf([])).toBe("WEBVTT\n");
  });

  test("a segment has the map of clocks, and every cue that it overlaps with its whole time", () => {
    const segments = [0, 4, 8, 12].map((fromSec) =>
      vttOf(CUES, { fromSec, toSec: fromSec + 4, isSegment: true }),
    );
    for (const segment of segments)
      expect(segment).toStartWith("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n");
    expect(segments.map(linesOf)).toEqual([
      ["<i>Long</i> &amp; <b>wide</b>", "a --&gt; b &lt; c\nsecond line"],
      ["<i>Long</i> &amp; <b>wide</b>", "a --&gt; b &lt; c\nsecond line"],
      ["<i>Long</i> &amp; <b>wide</b>", "Late"],
      [],
    ]);
    const times = segments.slice(0, 3).map((segment) => parseVtt(segment)[0]);
    expect(times.every((cue) => cue?.startSec === 1 && cue.endSec === 9)).toBe(true);
  });

  test("a shift moves every time; what would lie before the film is cut or left out", () => {
    const shifted = parseVtt(vttOf(CUES, { shiftSec: -4 }));
    expect(shifted.map(({ startSec, endSec }) => [startSec, endSec])).toEqual([
      [0, 5],
      [0, 0.5],
      [4, 8],
      [5996, 5997],
    ]);
    expect(parseVtt(vttOf(CUES, { shiftSec: -8.5 }))).toHaveLength(3);
  });

  test("what is written is read back the same", () => {
    expect(parseVtt(vttOf(CUES))).toEqual(CUES);
  });

  test("ffmpeg reads it back: as many cues, the same times and texts", async () => {
    const path = `${directory()}/out.vtt`;
    await Bun.write(path, vttOf(CUES));
    const fields = "packet=pts_time,duration_time";
    const probe = ["ffprobe", "-v", "error", "-show_entries", fields, "-of", "csv=p=0", path];
    const packets = await runProcess(probe, { withinMs: 30_000 });
    const times = packets.stdoutLines
      .filter((line) => line !== "")
      .map((line) => line.split(",", 2).join(","));
    expect(times).toEqual([
      "1.000000,8.000000",
      "3.000000,1.500000",
      "8.000000,4.000000",
      "6000.000000,1.000000",
    ]);
    const copied = await runProcess(
      ["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-f", "webvtt", "pipe:1"],
      { withinMs: 30_000 },
    );
    expect(copied.exitCode).toBe(0);
    expect(copied.stdout).toContain("Late");
    expect(copied.stdout).toContain("<i>Long</i> & <b>wide</b>");
  }, 60_000);
});
