// Real ffprobe over loopback HTTP, on files that real encoders made.

import { afterEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../../../src/base/clock.ts";
import { TorrxError } from "../../../../src/base/errors.ts";
import type { MediaProbe } from "../../../../src/media/ports.ts";
import { probeArgv, probeFile } from "../../../../src/media/probe/probe-file.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { type ServedFile, serveFile } from "../../../support/media-http.ts";
import { PlainMediaPrograms } from "../../../support/media-programs.ts";
import { type MediaFileName, mediaFile, truncatedFile, writtenFile } from "../../../support/media-samples.ts";
import { ScriptedPrograms } from "./scripted-programs.ts";

const programs = new PlainMediaPrograms();
const signal = new AbortController().signal;
const open: ServedFile[] = [];

afterEach(async () => {
  await programs.endAll();
  await Promise.all(open.splice(0).map((served) => served.stop()));
});

function served(...how: Parameters<typeof serveFile>): ServedFile {
  const file = serveFile(...how);
  open.push(file);
  return file;
}

async function probed(name: MediaFileName): Promise<MediaProbe> {
  return await probePath(await mediaFile(name));
}

async function probePath(path: string): Promise<MediaProbe> {
  return await probeFile({ programs, url: served(path).url, signal, clock: systemClock });
}

async function failureOf(work: Promise<unknown>): Promise<TorrxError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TorrxError)) throw new Error(`no TorrxError: ${String(error)}`);
  return error;
}

function everythingIn(error: TorrxError): string {
  return `${error.message} ${String(error.cause)} ${error.stack}`;
}

describe("the probe of a real file", () => {
  test.each([
    [
      "main.mp4",
      { codec: "h264", profile: "Main", codecString: "avc1.4d400c", bitDepth: 8, framesPerSec: 25 },
    ],
    ["high.mkv", { codec: "h264", profile: "High", codecString: "avc1.64000c", isInterlaced: false }],
    ["high10.mkv", { codec: "h264", profile: "High 10", codecString: "avc1.6e000c", bitDepth: 10 }],
    ["hevc.mkv", { codec: "hevc", profile: "Main", codecString: "hvc1.1.6.L60.B0", dynamicRange: "sdr" }],
    ["hdr10.mkv", { codec: "hevc", codecString: "hvc1.2.4.L60.B0", dynamicRange: "hdr10", bitDepth: 10 }],
    ["hlg.mkv", { codec: "hevc", dynamicRange: "hlg" }],
    ["interlaced.ts", { codec: "h264", isInterlaced: true }],
    ["vp9.webm", { codec: "vp9", codecString: "vp09.00.11.08" }],
    ["av1.mkv", { codec: "av1", codecString: "av01.0.00M.10", bitDepth: 10 }],
    ["xvid.avi", { codec: "mpeg4", codecString: null }],
    ["broadcast.ts", { codec: "mpeg2video", codecString: null }],
    ["turned.mp4", { codec: "h264", rotationDegrees: 270 }],
  ] as const)("tells the picture of %s", async (name, expected) => {
    const { video } = await probed(name);
    expect(video).toMatchObject({ width: 320, height: 180, ...expected });
  });

  test.each([
    [
      "main.mp4",
      [{ codec: "aac", codecString: "mp4a.40.2", channels: 2, sampleRate: 48_000, isDefault: true }],
    ],
    ["high10.mkv", [{ codec: "ac3", channels: 6, language: "ru", isCommentary: true }]],
    ["hdr10.mkv", [{ codec: "eac3", codecString: "ec-3", channels: 6 }]],
    [
      "two-audio.mkv",
      [
        {
          codec: "dts",
          codecString: "dtsc",
          channels: 6,
          language: "fr",
          isDefault: false,
          index: 0,
          stream: 1,
        },
        {
          codec: "aac",
          channels: 2,
          sampleRate: 44_100,
          language: "en",
          isDefault: true,
          index: 1,
          stream: 2,
        },
      ],
    ],
    ["lossless.mkv", [{ codec: "flac" }, { codec: "opus" }, { codec: "truehd", codecString: "mlpa" }]],
    ["sound.m4a", [{ codec: "aac", channels: 1, sampleRate: 44_100 }]],
    ["xvid.avi", [{ codec: "mp3" }]],
    ["hlg.mkv", []],
  ] as const)("tells the sound of %s", async (name, expected) => {
    const { audio } = await probed(name);
    expect(audio).toHaveLength(expected.length);
    expect(audio).toMatchObject(expected as unknown as object[]);
  });

  test("tells text subtitles with language and forced flag", async () => {
    const { subtitles } = await probed("subtitles.mkv");
    expect(subtitles).toMatchObject([
      { codec: "subrip", isText: true, language: "de", isForced: false, index: 0, stream: 2 },
      {
        codec: "ass",
        isText: true,
        language: null,
        title: "Forced signs",
        isForced: true,
        index: 1,
        stream: 3,
      },
    ]);
  });

  test("takes covers for no picture", async () => {
    expect((await probed("cover.mp4")).video).toBeNull();
    expect((await probed("cover.mkv")).video?.codec).toBe("h264");
  });

  test("tells duration and container, or that there is no duration", async () => {
    const { durationSec, format } = await probed("main.mp4");
    expect([Math.round(durationSec ?? 0), format]).toEqual([2, "mov,mp4,m4a,3gp,3g2,mj2"]);
    expect((await probed("quicktime.mov")).format).toBe("mov");
    expect((await probed("live.mkv")).durationSec).toBeNull();
  });

  test("reads a Matroska file of which only the beginning is there", async () => {
    expect((await probePath(await truncatedFile("high.mkv", 16_384))).video?.codec).toBe("h264");
  });
});

describe("a file that is no film", () => {
  test.each([
    ["an empty file", ""],
    ["noise", Buffer.alloc(100_000, "no film at all ")],
    ["text", "hello"],
    ["an archive", "Rar!\u001a\u0007\u0000"],
  ])("%s is refused, without the address in what is said", async (name, content) => {
    const path = writtenFile(`${name.replaceAll(" ", "-")}.mkv`, content);
    const error = await failureOf(probePath(path));
    expect(error.code).toBe("unsupported_media");
    expect(everythingIn(error)).not.toMatch(/SECRETTOKEN|127\.0\.0\.1/);
  });

  test("an MP4 without its index is refused", async () => {
    const error = await failureOf(probePath(await truncatedFile("quicktime.mov", 60_000)));
    expect(error.code).toBe("unsupported_media");
  });

  test.each([
    [
      "a playlist",
      "evil.mp4",
      (url: string) => `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${url}\n#EXT-X-ENDLIST\n`,
    ],
    ["a concat script", "evil.mkv", (url: string) => `ffconcat version 1.0\nfile '${url}'\n`],
    ["a concat script of a local file", "local.mkv", () => "ffconcat version 1.0\nfile '/etc/passwd'\n"],
  ])("%s in a film's clothes opens nothing", async (_, name, content) => {
    const victim = served(await mediaFile("main.mp4"));
    const error = await failureOf(probePath(writtenFile(name, content(victim.url))));
    expect(error.code).toBe("unsupported_media");
    expect(victim.requests).toEqual([]);
  });
});

describe("a probe that cannot be made", () => {
  test("says busy when the bytes are not to be had", async () => {
    const { url } = served("/dev/null", () => new Response("waiting", { status: 503 }));
    const error = await failureOf(probeFile({ programs, url, signal, clock: systemClock }));
    expect([error.code, error.retryAfterSec]).toEqual(["busy", 2]);
    expect(everythingIn(error)).not.toMatch(/SECRETTOKEN|127\.0\.0\.1/);
  });

  test("ends its ffprobe when nobody wants it any more", async () => {
    const abort = new AbortController();
    const asked = Promise.withResolvers<void>();
    const { url } = served("/dev/null", () => {
      asked.resolve();
      return new Promise<Response>(() => undefined);
    });
    const probing = probeFile({ programs, url, signal: abort.signal, clock: systemClock });
    await asked.promise;
    expect(programs.running).toBe(1);
    abort.abort(new Error("gone"));
    await expect(probing).rejects.toThrow("gone");
    expect(programs.running).toBe(0);
  });

  test("is given up after 15 seconds in which it did not wait for bytes", async () => {
    const clock = new FakeClock();
    const hanging = new ScriptedPrograms({ hangs: true });
    const probing = failureOf(probeFile({ programs: hanging, url: "http://127.0.0.1:1/x", signal, clock }));
    await clock.advanceSettled(15_000);
    expect((await probing).code).toBe("unsupported_media");
    expect(hanging.kills).toBeGreaterThan(0);
  });

  test("is given up when it tells more than 4 MiB", async () => {
    const flood = new ScriptedPrograms({ writes: [new Uint8Array(4 * 1024 * 1024), "x"] });
    const error = await failureOf(
      probeFile({ programs: flood, url: "http://127.0.0.1:1/x", signal, clock: new FakeClock() }),
    );
    expect([error.code, String(error.cause)]).toEqual([
      "unsupported_media",
      expect.stringContaining("more than 4194304"),
    ]);
  });

  test("scrubs what ffprobe said", async () => {
    const stderr = "http://127.0.0.1:9/s?token=SECRETTOKEN: Invalid data\n[http @ 0x1] token=SECRETTOKEN&x";
    const failing = new ScriptedPrograms({ code: 1, stderr });
    const error = await failureOf(
      probeFile({ programs: failing, url: "http://127.0.0.1:9/s", signal, clock: new FakeClock() }),
    );
    expect(String(error.cause)).toContain("Invalid data");
    expect(everythingIn(error)).not.toMatch(/SECRETTOKEN|127\.0\.0\.1/);
  });
});

test("both whitelists and all bounds stand before the input", () => {
  const argv = probeArgv("http://127.0.0.1:1/x");
  const input = argv.indexOf("-i");
  expect(input).toBe(argv.length - 2);
  expect(argv.slice(0, input).join(" ")).toContain(
    "-protocol_whitelist http,tcp -format_whitelist mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf" +
      " -probesize 5000000 -analyzeduration 5000000",
  );
});
