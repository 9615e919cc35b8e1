import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import type { Cue } from "../../../../src/media/subtitles/cue.ts";
import { parseSrt } from "../../../../src/media/subtitles/parse-srt.ts";

type Told = readonly [number, number, string, (string | null)?];

const told = (cues: readonly Cue[]): Told[] =>
  cues.map(({ startSec, endSec, text, settings }) =>
    settings === null
      ? [round(startSec), round(endSec), text]
      : [round(startSec), round(endSec), text, settings],
  );
const round = (sec: number) => Math.round(sec * 1_000) / 1_000;
const two = (value: number) => String(Math.floor(value) % 60).padStart(2, "0");
const textOf = (line: string): string | undefined =>
  parseSrt(`1\n00:00:01,000 --> 00:00:02,000\n${line}\n`)[0]?.text;

describe("SubRip", () => {
  test("numbered cues with several lines", () => {
    const text =
      "1\r\n00:00:01,000 --> 00:00:02,500\r\nOne\r\nTwo\r\n\r\n2\r\n01:00:00,000 --> 01:00:01,000\r\nThree\r\n";
    expect(told(parseSrt(text))).toEqual([
      [1, 2.5, "One\nTwo"],
      [3600, 3601, "Three"],
    ]);
  });

  test("times as people write them: dots, no hours, few digits, spaces, long arrows", () => {
    const lines = [
      ["00:00:01.000 --> 00:00:02.000", 1, 2],
      ["00:01,5 --> 00:02,25", 1.5, 2.25],
      ["0:00:01 --> 0:00:02", 1, 2],
      ["00:00:01,000-->00:00:02,000", 1, 2],
      ["00: 00: 01, 000 -> 00: 00: 02, 000", 1, 2],
      ["00:00:01;000 --> 00:00:02;000", 1, 2],
      ["00:00:01,000 --> 00:00:02,000 X1:10 X2:20 Y1:30 Y2:40", 1, 2],
      ["  00:00:01:000 --&gt; 00:00:02:000", 1, 2],
      ["100:00:00,000 --> 00:00:02,000", undefined, undefined],
    ] as const;
    for (const [line, start, end] of lines) {
      const [cue] = parseSrt(`1\n${line}\nText\n`);
      expect([line, cue?.startSec, cue?.endSec]).toEqual([line, start, end] as never);
    }
  });

  test("missing blank lines and numbers do not run cues together", () => {
    const text =
      "1\n00:00:01,000 --> 00:00:02,000\nOne\n2\n00:00:03,000 --> 00:00:04,000\nTwo\n00:00:05,000 --> 00:00:06,000\nThree";
    expect(told(parseSrt(text)).map(([, , line]) => line)).toEqual(["One", "Two", "Three"]);
  });

  test("blank lines within a cue are passed over; the number of the next is no text", () => {
    const text =
      "1\n00:00:01,000 --> 00:00:02,000\n\nOne\n\nmore\n\n\n2\n\n00:00:03,000 --> 00:00:04,000\nTwo\n";
    expect(told(parseSrt(text)).map(([, , line]) => line)).toEqual(["One\nmore", "Two"]);
  });

  test("a line that is a number stays where cues are not numbered, and as the last line", () => {
    expect(told(parseSrt("00:00:01,000 --> 00:00:02,000\n42\n\n00:00:03,000 --> 00:00:04,000\n7"))).toEqual([
      [1, 2, "42"],
      [3, 4, "7"],
    ]);
    expect(
      told(
        parseSrt("1\n00:00:01,000 --> 00:00:02,000\nHow many?\n42\n\n2\n00:00:03,000 --> 00:00:04,000\n7"),
      ),
    ).toEqual([
      [1, 2, "How many?\n42"],
      [3, 4, "7"],
    ]);
  });

  test("cues come sorted; overlapping ones stay, an end before its start is mended", () => {
    const text = [
      "00:00:09,000 --> 00:00:08,000\nBackwards",
      "00:00:01,000 --> 00:00:05,000\nLong",
      "00:00:02,000 --> 00:00:03,000\nWithin",
      "00:00:10,000 --> 00:00:11,000\nLast",
      "00:00:20,000 --> oops\nNo end",
    ].join("\n\n");
    expect(told(parseSrt(text))).toEqual([
      [1, 5, "Long"],
      [2, 3, "Within"],
      [9, 10, "Backwards"],
      [10, 11, "Last"],
      [20, 23, "No end"],
    ]);
  });

  test("negative times: what begins before the film begins with it, what ends before is left out", () => {
    const text = "-00:00:02,000 --> 00:00:01,000\nHalf\n\n-00:00:03,000 --> -00:00:01,000\nGone\n";
    expect(told(parseSrt(text))).toEqual([[0, 1, "Half"]]);
  });

  test("italics, bold and underline stay, properly nested; every other tag goes", () => {
    expect(textOf("<i>One</i> two")).toBe("<i>One</i> two");
    expect(textOf("<I>One</I><font color=\"#ff0000\" size='3'>red</font>")).toBe("<i>One</i>red");
    expect(textOf("<b><i>One</b></i> two")).toBe("<b><i>One</i></b> two");
    expect(textOf("<b>one <i>two</i> three</b>")).toBe("<b>one <i>two</i> three</b>");
    expect(textOf("<i>one <b>two</b> three</i>")).toBe("<i>one <b>two</b> three</i>");
    expect(textOf("<i>never closed")).toBe("<i>never closed</i>");
    expect(textOf("</i>never opened")).toBe("never opened");
    expect(textOf("<em>a</em><strong>b</strong><u>c</u>")).toBe("<i>a</i><b>b</b><u>c</u>");
    expect(textOf("<i></i>")).toBeUndefined();
    expect(textOf("one<br>two<br/>three")).toBe("one\ntwo\nthree");
  });

  test("what is no markup is text, and cannot become markup", () => {
    expect(textOf("1 < 2 & 3 > 2")).toBe("1 &lt; 2 &amp; 3 &gt; 2");
    expect(textOf("I <3 you")).toBe("I &lt;3 you");
    expect(textOf("<sighs> Well.")).toBe("&lt;sighs&gt; Well.");
    expect(textOf("<script>alert(1)</script>")).toBe("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(textOf("a --> b")).toBe("a --&gt; b");
    expect(textOf("&lt;i&gt; &amp; &quot;q&quot; &nbsp; &#39; &unknown;")).toBe(
      '&lt;i&gt; &amp; "q" \u00a0 \' &amp;unknown;',
    );
    expect(textOf("{hello}")).toBe("{hello}");
  });

  test("ASS overrides: the place becomes settings, styles are kept, the rest goes", () => {
    const [cue] = parseSrt(
      "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}{\\i1}Up{\\i0} there{\\pos(1,2)\\c&HFF&}\n",
    );
    expect(cue?.text as string).toBe("<i>Up</i> there");
    expect(cue?.settings).toBe("line:0");
    expect(textOf("{y:i}{C:$0000FF}old")).toBe("old");
  });

  test("what there is too much of is cut: cues, and the text of one", () => {
    const line = (i: number) => `00:${two(i / 60)}:${two(i)},000 --> 09:00:00,000\nLine ${i}`;
    const lines = Array.from({ length: LIMITS.subtitles.cues + 5 }, (_, i) => line(i));
    expect(parseSrt(lines.join("\n\n"))).toHaveLength(LIMITS.subtitles.cues);
    const [long] = parseSrt(`00:01,000 --> 00:02,000\n${"x".repeat(LIMITS.subtitles.cueChars + 1)}`);
    expect(long?.text).toHaveLength(LIMITS.subtitles.cueChars);
    const [words] = parseSrt(`00:01,000 --> 00:02,000\n${"ab ".repeat(LIMITS.subtitles.cueChars)}`);
    expect(words?.text.length).toBeLessThanOrEqual(LIMITS.subtitles.cueChars);
  });

  test("nothing that is no subtitle gives cues", () => {
    for (const text of ["", "\n\n\n", "hello", "00:00:01,000 --> 00:00:02,000", "-->", "1 --> 2"])
      expect(parseSrt(text)).toEqual([]);
  });
});
