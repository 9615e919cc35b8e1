import { describe, expect, test } from "bun:test";
import { parseAss } from "../../../../src/media/subtitles/parse-ass.ts";

const STYLES = `[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,20,&H00FFFFFF,&H0,&H0,&H0,0,0,0,0,100,100,0,0,1,2,2,2,10,10,10,1
Style: Thoughts,Arial,20,&H00FFFFFF,&H0,&H0,&H0,0,-1,0,0,100,100,0,0,1,2,2,2,10,10,10,1
Style: Top,Arial,20,&H00FFFFFF,&H0,&H0,&H0,-1,0,0,0,100,100,0,0,1,2,2,8,10,10,10,1
`;
const EVENTS = "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n";

function cuesOf(...dialogues: string[]) {
  return parseAss(`[Script Info]\nScriptType: v4.00+\n\n${STYLES}\n${EVENTS}${dialogues.join("\n")}\n`);
}
const lineOf = (text: string, style = "Default") =>
  cuesOf(`Dialogue: 0,0:00:01.00,0:00:02.50,${style},,0,0,0,,${text}`)[0];
const textOf = (text: string, style?: string) => lineOf(text, style)?.text as string | undefined;

describe("ASS and SSA", () => {
  test("a dialogue line: times in hundredths, commas and line breaks in the text", () => {
    const cue = lineOf("Well, then\\NSecond\\nstill second\\hline");
    expect([cue?.startSec, cue?.endSec]).toEqual([1, 2.5]);
    expect(cue?.text as string).toBe("Well, then\nSecond still second\u00a0line");
  });

  test("fields come in the order that the format names", () => {
    const script = "[Events]\nFormat: Start, End, Text\nDialogue: 0:00:01.00,0:00:02.00,a, b\n";
    expect(parseAss(script).map((cue) => `${cue.text}`)).toEqual(["a, b"]);
  });

  test("italics, bold and underline, by tag, weight and style, and back", () => {
    expect(textOf("{\\i1}One{\\i0} two {\\b700}three{\\b0}")).toBe("<i>One</i> two <b>three</b>");
    expect(textOf("{\\b1\\i1\\u1}all{\\r} none")).toBe("<b><i><u>all</u></i></b> none");
    expect(textOf("thought", "Thoughts")).toBe("<i>thought</i>");
    expect(textOf("a {\\i0}b{\\i} c", "Thoughts")).toBe("<i>a</i> b <i>c</i>");
    expect(textOf("{\\i1}a{\\rDefault}b", "Thoughts")).toBe("<i>ab</i>");
  });

  test("the place: from the style, from \\an, from SSA's \\a; the first tag counts", () => {
    expect(lineOf("up", "Top")?.settings).toBe("line:0");
    expect(lineOf("down{\\an2}", "Top")?.settings).toBeNull();
    expect(lineOf("{\\an7}x")?.settings).toBe("line:0 align:left");
    expect(lineOf("{\\an6}x")?.settings).toBe("line:50% align:right");
    expect(lineOf("{\\a6}x")?.settings).toBe("line:0");
    expect(lineOf("{\\an8\\an1}x")?.settings).toBe("line:0");
    expect(lineOf("{\\an0}{\\an11}x")?.settings).toBeNull();
  });

  test("drawings, comments, karaoke and effects are no text", () => {
    expect(
      cuesOf("Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0 100 100{\\p0}"),
    ).toEqual([]);
    expect(textOf("{\\p1}m 0 0{\\p0}shown{\\pos(10,20)\\fad(1,2)\\t(\\i1)}")).toBe("shown");
    expect(textOf("{\\k20}ka{\\kf30}ra{a comment}oke")).toBe("karaoke");
    expect(cuesOf("Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,hidden")).toEqual([]);
    expect(textOf("brace { stays")).toBe("brace { stays");
  });

  test("layers of one line and frames of one sign are one cue", () => {
    const cues = cuesOf(
      "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\bord2}Sign",
      "Dialogue: 1,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\bord0}Sign",
      "Dialogue: 0,0:00:02.00,0:00:02.04,Default,,0,0,0,,Sign",
      "Dialogue: 0,0:00:02.04,0:00:02.08,Default,,0,0,0,,Sign",
      "Dialogue: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,Sign",
    );
    expect(cues.map(({ startSec, endSec }) => [startSec, endSec])).toEqual([
      [1, 2.08],
      [5, 6],
    ]);
  });

  test("SSA: its own styles and numbers for places", () => {
    const script = `[Script Info]\nScriptType: v4.00\n[V4 Styles]\nFormat: Name, Fontname, Bold, Italic, Alignment\nStyle: *Default,Arial,0,-1,6\n[Events]\nFormat: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: Marked=0,0:00:01.00,0:00:02.00,*Default,,0,0,0,,old\n`;
    const [cue] = parseAss(script);
    expect([cue?.text as string, cue?.settings]).toEqual(["<i>old</i>", "line:0"]);
  });

  test("text that would be markup in WebVTT is escaped", () => {
    expect(textOf("<i>a</i> & b --> c")).toBe("&lt;i&gt;a&lt;/i&gt; &amp; b --&gt; c");
  });
});
