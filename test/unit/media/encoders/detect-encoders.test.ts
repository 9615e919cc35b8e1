import { afterEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../../../src/base/clock.ts";
import { detectEncoders } from "../../../../src/media/encoders/detect-encoders.ts";
import type { MediaProgram } from "../../../../src/media/ports.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { PlainMediaPrograms } from "../../../support/media-programs.ts";
import { type Script, ScriptedPrograms } from "../probe/scripted-programs.ts";

const signal = new AbortController().signal;
const none = { render: [], nvidia: [] };
const H264 = Uint8Array.from([0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x65, 1]);
const LISTED = " V....D libx264     x\n V....D h264_nvenc  x\n V..... h264_vaapi x\n V..... h264_qsv  x\n";
const FILTERS = "Filters:\n  T.. = Timeline\n .SC zscale   V->V x\n .S. tonemap  V->V x\n";
const devices = { render: ["/dev/dri/renderD128"], nvidia: ["/dev/nvidia0"] };

describe("on this machine", () => {
  const programs = new PlainMediaPrograms();
  afterEach(() => programs.endAll());

  test("x264 works, its speed is measured, and a device that is none is found out", async () => {
    const hardware = { render: ["/dev/dri/renderD999"], nvidia: ["/dev/nvidia9"] };
    const facts = await detectEncoders({ programs, clock: systemClock, signal, hardware });
    const software = facts.encoders.at(-1);
    expect(software).toEqual({ kind: "x264" });
    expect(facts.encoders.some((encoder) => "device" in encoder)).toBe(false);
    // A core does between 10 and 2000 frames of 720p a second.
    expect(facts.x264PixelsPerCoreSec).toBeGreaterThan(1280 * 720 * 10);
    expect(facts.x264PixelsPerCoreSec).toBeLessThan(1280 * 720 * 2_000);
    expect(facts.canToneMap).toBe(true);
    expect(programs.running).toBe(0);
    expect(programs.started.some(({ argv }) => argv.includes("h264_vaapi"))).toBe(true);
  }, 30_000);
});

describe("an encoder", () => {
  const detect = (answer: (argv: string) => Script, hardware = devices) => {
    const programs = new ScriptedPrograms(({ argv }: MediaProgram) => answer(argv.join(" ")));
    const clock = new FakeClock();
    return { programs, clock, facts: detectEncoders({ programs, clock, signal, hardware }) };
  };
  const listing = (argv: string): Script | null => {
    if (argv.endsWith("-encoders")) return { writes: [LISTED] };
    return argv.endsWith("-filters") ? { writes: [FILTERS] } : null;
  };

  test("that makes a picture is one", async () => {
    const bench = "bench: utime=0.5s stime=0.5s rtime=1s";
    const { facts } = detect((argv) => listing(argv) ?? { writes: [H264], stderr: bench });
    expect(await facts).toEqual({
      encoders: [
        { kind: "nvenc" },
        { kind: "vaapi", device: "/dev/dri/renderD128" },
        { kind: "qsv", device: "/dev/dri/renderD128" },
        { kind: "x264" },
      ],
      x264PixelsPerCoreSec: 1280 * 720 * 24,
      canToneMap: true,
    });
  });

  test("that fails after a picture, or ends well without one, is none", async () => {
    const { facts } = detect((argv) => {
      if (argv.includes("h264_nvenc")) return { writes: [H264], code: 1, stderr: "device lost" };
      if (argv.includes("h264_vaapi")) return { writes: [] };
      return listing(argv) ?? { writes: [H264] };
    });
    expect((await facts).encoders.map(({ kind }) => kind)).toEqual(["qsv", "x264"]);
  });

  test("that is not built in, or has no device, is not tried", async () => {
    const only = (argv: string): Script => {
      if (argv.endsWith("-encoders")) return { writes: [" V....D libx264rgb x\n V....D mpeg4 x\n"] };
      return listing(argv) ?? { writes: [H264] };
    };
    const without = detect(only);
    expect(await without.facts).toMatchObject({ encoders: [], x264PixelsPerCoreSec: null });
    expect(without.programs.started).toHaveLength(2);
    const bare = detect((argv) => listing(argv) ?? { writes: [H264] }, none);
    expect((await bare.facts).encoders).toEqual([{ kind: "x264" }]);
  });

  test("that hangs is none after ten seconds, and the next is tried", async () => {
    const { facts, clock, programs } = detect((argv) => {
      if (argv.includes("h264_nvenc")) return { hangs: true };
      return listing(argv) ?? { writes: [H264] };
    });
    await clock.settle(20);
    await clock.advanceSettled(10_000);
    expect((await facts).encoders.map(({ kind }) => kind)).toEqual(["vaapi", "qsv", "x264"]);
    expect(programs.kills).toBeGreaterThan(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("without both filters of HDR there is no tone mapping", async () => {
    const { facts } = detect((argv) =>
      argv.endsWith("-filters")
        ? { writes: [" .S. tonemap  V->V x\n"] }
        : (listing(argv) ?? { writes: [H264] }),
    );
    expect((await facts).canToneMap).toBe(false);
  });
});
