import { describe, expect, test } from "bun:test";
import { parseVtt } from "../../../../src/media/subtitles/parse-vtt.ts";

const one = (cue: string) => parseVtt(`WEBVTT\n\n${cue}\n`)[0];

describe("WebVTT", () => {
  test("cues with and without identifiers; notes, styles and regions are none", () => {
    const text = [
      "WEBVTT - a title\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000",
      "NOTE a comment\nof two lines",
      "STYLE\n::cue { color: red }",
      "REGION\nid:r1",
      "intro\n00:01.000 --> 00:02.000\nOne\nTwo",
      "01:00:00.000 --> 01:00:01.000\nThree",
    ].join("\n\n");
    expect(parseVtt(text).map(({ startSec, endSec, text: line }) => [startSec, endSec, `${line}`])).toEqual([
      [1, 2, "One\nTwo"],
      [3600, 3601, "Three"],
    ]);
  });

  test("settings that a player can follow stay, others go", () => {
    const settingsOf = (settings: string) => one(`00:01.000 --> 00:02.000 ${settings}\nx`)?.settings;
    expect(settingsOf("line:0 position:10%,line-left align:start size:35%")).toBe(
      "line:0 position:10%,line-left align:start size:35%",
    );
    expect(settingsOf("line:-1 vertical:rl")).toBe("line:-1 vertical:rl");
    expect(settingsOf("region:r1 line:x align:--> constructor:1 __proto__:2")).toBeNull();
    expect(settingsOf("")).toBeNull();
  });

  test("tags but i, b, u go with their classes; voices, colours and times leave their text", () => {
    const text = one(
      "00:01.000 --> 00:02.000\n<v Bob><i.loud>One</i> <c.red>two</c> <00:01.500><lang en>three</lang> &amp; &lt;4",
    )?.text as string;
    expect(text).toBe("<i>One</i> two three &amp; &lt;4");
  });

  test("a cue ends at a blank line or at the next times", () => {
    const text =
      "WEBVTT\n\n00:01.000 --> 00:02.000\nOne\n\nstray text\n\n00:03.000 --> 00:04.000\nTwo\n00:05.000 --> 00:06.000\nThree";
    expect(parseVtt(text).map((cue) => `${cue.text}`)).toEqual(["One", "Two", "Three"]);
  });
});
