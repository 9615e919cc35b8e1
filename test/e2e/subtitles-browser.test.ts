// What we write as WebVTT, read by Debian's Chromium as the track of a video.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parseAss } from "../../src/media/subtitles/parse-ass.ts";
import { parseSrt } from "../../src/media/subtitles/parse-srt.ts";
import { vttOf } from "../../src/media/subtitles/write-vtt.ts";
import { WebBrowser } from "../support/web-browser.ts";

const SRT = [
  "00:00:01,000 --> 00:00:02,500\n<i>Tom</i> & <b>Jerry</b>\nsecond line",
  "00:00:02,000 --> 00:00:04,000\n{\\an8}a --> b, 1 < 2, <sighs>, &lt;b&gt;",
  "01:02:03,004 --> 01:02:04,005\nПривет, 你好",
].join("\n\n");
const ASS =
  "[V4+ Styles]\nFormat: Name, Italic, Alignment\nStyle: Left,-1,4\n[Events]\nFormat: Start, End, Style, Text\n" +
  "Dialogue: 0:00:01.00,0:00:02.00,Left,One\\Ntwo\n";

/** What the page tells of a cue. */
interface SeenCue {
  readonly startTime: number;
  readonly endTime: number;
  readonly shown: string;
  readonly tags: readonly string[];
  readonly line: unknown;
  readonly snapToLines: boolean;
  readonly align: string;
}

let browser: WebBrowser;
let server: Bun.Server<undefined>;
const files: Record<string, string> = {
  "/srt.vtt": vttOf(parseSrt(SRT)),
  "/ass.vtt": vttOf(parseAss(ASS)),
  "/segment.vtt": vttOf(parseSrt(SRT), { fromSec: 2, toSec: 4, isSegment: true }),
};

beforeAll(async () => {
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const file = files[new URL(request.url).pathname];
      if (file !== undefined) return new Response(file, { headers: { "content-type": "text/vtt" } });
      return new Response("<!doctype html><title>t</title><video></video>", {
        headers: { "content-type": "text/html" },
      });
    },
  });
  browser = await WebBrowser.start();
}, 60_000);

afterAll(async () => {
  await browser.close();
  await server.stop(true);
});

async function cuesIn(path: string): Promise<SeenCue[]> {
  const host = `127.0.0.1:${server.port}`;
  const { page } = await browser.open([host]);
  await page.goto(`http://${host}/`);
  const script = `new Promise((resolve, reject) => {
    const track = document.createElement("track");
    track.kind = "subtitles";
    track.src = ${JSON.stringify(path)};
    track.onload = () => resolve([...track.track.cues].map((cue) => {
      const fragment = cue.getCueAsHTML();
      const tags = [...fragment.querySelectorAll("*")].map((element) => element.tagName + ":" + element.textContent);
      const { startTime, endTime, line, snapToLines, align } = cue;
      return { startTime, endTime, shown: fragment.textContent, tags, line, snapToLines, align };
    }));
    track.onerror = () => reject(new Error("the track did not load"));
    document.querySelector("video").append(track);
    track.track.mode = "hidden";
  })`;
  return (await page.evaluate(script)) as SeenCue[];
}

describe("our WebVTT in a browser", () => {
  test("every cue is there with its times, its text is what was said, its tags are tags", async () => {
    const cues = await cuesIn("/srt.vtt");
    expect(cues.map(({ startTime, endTime, shown }) => [startTime, endTime, shown])).toEqual([
      [1, 2.5, "Tom & Jerry\nsecond line"],
      [2, 4, "a --> b, 1 < 2, <sighs>, <b>"],
      [3723.004, 3724.005, "Привет, 你好"],
    ]);
    expect(cues[0]?.tags).toEqual(["I:Tom", "B:Jerry"]);
    expect(cues[1]?.tags).toEqual([]);
  }, 60_000);

  test("places arrive", async () => {
    const [, up] = await cuesIn("/srt.vtt");
    expect([up?.line, up?.snapToLines]).toEqual([0, true]);
    const [left] = await cuesIn("/ass.vtt");
    expect([left?.line, left?.snapToLines, left?.align]).toEqual([50, false, "left"]);
    expect(left?.tags).toEqual(["I:One\ntwo"]);
  }, 60_000);

  test("a segment with its map of clocks is a valid file with the cues that it overlaps", async () => {
    expect((await cuesIn("/segment.vtt")).map(({ startTime }) => startTime)).toEqual([1, 2]);
  }, 60_000);
});
