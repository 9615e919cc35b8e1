import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { coresOf, usableCores } from "../../../../src/media/encoders/cores.ts";
import { candidates } from "../../../../src/media/encoders/detect-encoders.ts";
import { EncoderChain } from "../../../../src/media/encoders/encoder-chain.ts";
import { devicesOf, listHardware } from "../../../../src/media/encoders/hardware.ts";
import { isH264, testEncodeArgv } from "../../../../src/media/encoders/test-encodes.ts";
import { pixelsPerCoreSec, X264_SPEED_ARGV } from "../../../../src/media/encoders/x264-speed.ts";
import { tmpFolder } from "../../../support/tmp.ts";

const device = "/dev/dri/renderD128";
const X264 = { kind: "x264" } as const;
const VAAPI = { kind: "vaapi", device } as const;
const QSV = { kind: "qsv", device } as const;
const NVENC = { kind: "nvenc" } as const;

describe("the command line that tries", () => {
  const quiet = "-nostdin -hide_banner -loglevel error";
  const picture = "-f lavfi -i nullsrc=size=256x256:rate=25 -frames:v 3";

  test.each([
    [X264, `${quiet} ${picture} -pix_fmt yuv420p -c:v libx264 -f h264 pipe:1`],
    [NVENC, `${quiet} ${picture} -pix_fmt yuv420p -c:v h264_nvenc -f h264 pipe:1`],
    [
      VAAPI,
      `${quiet} -vaapi_device ${device} ${picture} -vf format=nv12,hwupload -c:v h264_vaapi -f h264 pipe:1`,
    ],
    [
      QSV,
      `${quiet} -init_hw_device vaapi=va:${device} -init_hw_device qsv=hw@va -filter_hw_device hw ${picture} ` +
        "-vf format=nv12,hwupload=extra_hw_frames=16 -c:v h264_qsv -f h264 pipe:1",
    ],
  ])("%j", (encoder, expected) => {
    expect(testEncodeArgv(encoder).join(" ")).toBe(expected);
  });

  test("the speed of x264", () => {
    expect(X264_SPEED_ARGV.join(" ")).toBe(
      "-nostdin -hide_banner -loglevel info -nostats -benchmark -f lavfi -i " +
        "testsrc2=size=1280x720:rate=24,noise=alls=8:allf=t -frames:v 24 " +
        "-c:v libx264 -preset veryfast -crf 23 -pix_fmt yuv420p -f null -",
    );
  });
});

describe("H.264 in bytes", () => {
  const sps = [0, 0, 0, 1, 0x67, 0x64];
  const idr = [0, 0, 1, 0x65, 0x88];

  test("is parameters and a key picture", () => {
    expect(isH264(Uint8Array.from([...sps, 0, 0, 0, 1, 0x68, 0xee, ...idr]))).toBe(true);
    expect(isH264(Uint8Array.from(sps))).toBe(false);
    expect(isH264(Uint8Array.from(idr))).toBe(false);
    expect(isH264(new Uint8Array())).toBe(false);
    expect(isH264(Uint8Array.from([0, 0, 1]))).toBe(false);
  });
});

describe("the time that ffmpeg tells", () => {
  test("is processor time of user and system", () => {
    expect(
      pixelsPerCoreSec("frame=24\nbench: utime=0.450s stime=0.050s rtime=9.000s\nbench: maxrss=1kB"),
    ).toBe(1280 * 720 * 48);
  });

  test.each(["", "bench: utime=s", "bench: utime=0.000s stime=0.000s rtime=1s"])("is not in %j", (stderr) => {
    expect(pixelsPerCoreSec(stderr)).toBeNull();
  });
});

describe("devices", () => {
  test("are what the kernel shows", async () => {
    const dev = tmpFolder("dev");
    expect(await listHardware(dev)).toEqual({ render: [], nvidia: [] });
    mkdirSync(join(dev, "dri"));
    for (const name of ["dri/renderD129", "dri/renderD128", "dri/card0", "nvidia0", "nvidiactl", "null"]) {
      writeFileSync(join(dev, name), "");
    }
    const hardware = await listHardware(dev);
    expect(hardware.render).toEqual([join(dev, "dri/renderD128"), join(dev, "dri/renderD129")]);
    expect(hardware.nvidia).toEqual([join(dev, "nvidia0"), join(dev, "nvidiactl")]);
    expect(devicesOf("vaapi", hardware)).toEqual(hardware.render);
    expect(devicesOf("nvenc", hardware)).toEqual(hardware.nvidia);
    expect(devicesOf("x264", hardware)).toEqual([]);
  });

  test("are tried in the order of preference, x264 last", () => {
    const kinds = (render: string[], nvidia: string[]) =>
      candidates({ render, nvidia }).map(({ kind }) => kind);
    expect(kinds([], [])).toEqual(["x264"]);
    expect(kinds(["a", "b"], ["c"])).toEqual(["nvenc", "vaapi", "vaapi", "qsv", "qsv", "x264"]);
  });
});

describe("encoders that work", () => {
  test("lose the hardware that failed, for good, down to x264", () => {
    const other = { kind: "vaapi", device: "/dev/dri/renderD129" } as const;
    const chain = new EncoderChain([VAAPI, other, X264]);
    expect(chain.failed(VAAPI)).toEqual(other);
    expect(chain.working).toEqual([other, X264]);
    expect(chain.failed(VAAPI)).toEqual(other);
    expect(chain.failed(other)).toEqual(X264);
    expect(chain.failed(X264)).toBeNull();
    expect(chain.working).toEqual([X264]);
  });

  test("may come to an end", () => {
    expect(new EncoderChain([NVENC]).failed(NVENC)).toBeNull();
  });
});

describe("cores", () => {
  test.each([
    [null, 4],
    ["max 100000\n", 4],
    ["200000 100000\n", 2],
    ["50000 100000", 0.5],
    ["900000 100000", 4],
    ["0 100000", 4],
    ["nonsense", 4],
  ])("of a container with %j on four are %d", (cpuMax, expected) => {
    expect(coresOf(cpuMax, 4)).toBe(expected);
  });

  test("are those of the machine where no limit is told", () => {
    expect(usableCores(join(tmpFolder("cpu"), "cpu.max"))).toBeGreaterThanOrEqual(1);
  });
});
