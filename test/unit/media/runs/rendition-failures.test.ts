import { describe, expect, test } from "bun:test";
import { TorrxError } from "../../../../src/base/errors.ts";
import type { RunWork } from "../../../../src/media/runs/run-job.ts";
import { frameBytes, initBytes } from "../../../support/fmp4-bytes.ts";
import { PLAIN_VIDEO, TEST_TOOLS } from "../../../support/rendition-rig.ts";
import {
  contents,
  ENCODE,
  fakeFilm,
  held,
  never,
  outcome,
  output,
  PLAN,
  pictures,
  secondsIn,
  segmentOf,
} from "./fake-film.ts";

describe("a failure", () => {
  test("is tried once more, and then told with the program's last words", async () => {
    const film = fakeFilm();
    const asked = held(film.rendition.segment(10, never));
    await film.settle();
    const stderr = "[h264 @ 0x55d2] bad\nhttp://127.0.0.1:1/film?token=secret: Invalid data found\n";
    film.programs.last.exit(1, stderr);
    await film.settle();
    expect(film.programs.started.map(segmentOf)).toEqual([10, 10]);
    film.programs.last.exit(1, stderr);
    await film.settle();
    const told = "unsupported_media ffmpeg ended with code 1: input Invalid data found";
    expect(await outcome(asked)).toBe(told);
    expect(await outcome(film.rendition.segment(10, never))).toBe(told);
    expect(film.programs.started).toHaveLength(2);
    await film.clock.advanceSettled(11_000);
    const later = held(film.rendition.segment(10, never));
    await film.settle();
    expect(film.programs.started).toHaveLength(3);
    film.programs.last.push(...output(10, 11));
    expect(secondsIn(await later)).toEqual(contents(10));
    await film.rendition.close();
  });

  test("after some segments goes on behind them", async () => {
    const film = fakeFilm();
    const [first, second] = [
      held(film.rendition.segment(10, never)),
      held(film.rendition.segment(11, never)),
    ];
    await film.settle();
    film.programs.last.push(...output(10, 11));
    await first;
    film.programs.last.exit(null, "", "SIGSEGV");
    await film.settle();
    expect(film.programs.started.map(segmentOf)).toEqual([10, 11]);
    film.programs.last.push(...output(11, 12));
    expect(secondsIn(await second)).toEqual(contents(11));
    await film.rendition.close();
  });

  test("of the input is no failure of the film", async () => {
    const film = fakeFilm();
    const asked = held(film.rendition.segment(10, never));
    await film.settle();
    for (let i = 0; i < 2; i++) {
      film.programs.last.push(...output(10, 11).slice(0, 3));
      await film.settle();
      film.programs.last.exit(0, "http://127.0.0.1:1/film: Input/output error\n");
      await film.settle();
    }
    expect(await outcome(asked)).toBe("busy waiting_pieces: the film could not be read on");
    expect(film.store.has("film/v0/10")).toBe(false);
    const again = held(film.rendition.segment(10, never));
    await film.settle();
    expect(film.programs.started).toHaveLength(3);
    film.programs.last.push(...output(10, 11));
    await again;
    await film.rendition.close();
  });

  test("to start a program is told as it is, to all who wait", async () => {
    const film = fakeFilm();
    film.programs.startError = new TorrxError("unsupported_media", "ffmpeg is missing");
    const [one, init] = [held(film.rendition.segment(10, never)), held(film.rendition.init(never))];
    await film.settle();
    expect(await outcome(one)).toBe("unsupported_media ffmpeg is missing");
    expect(await outcome(init)).toBe("unsupported_media ffmpeg is missing");
    await film.rendition.close();
    expect(film.inputs.open).toBe(0);
  });

  test("of one segment is not that of its neighbours' waiters far away", async () => {
    const film = fakeFilm();
    const [near, far] = [held(film.rendition.segment(10, never)), held(film.rendition.segment(50, never))];
    await film.settle();
    for (let i = 0; i < 3; i++) {
      for (const process of film.programs.running) if (segmentOf(process) === 10) process.exit(1, "no");
      await film.settle();
    }
    expect(await outcome(near)).toBe("unsupported_media ffmpeg ended with code 1: no");
    expect(await outcome(far)).toBe("pending");
    await film.rendition.close();
    expect(await outcome(far)).toBe("busy this playback has ended");
  });

  test("output that is none is one of the program", async () => {
    const film = fakeFilm();
    const asked = held(film.rendition.segment(10, never));
    await film.settle();
    for (let i = 0; i < 2; i++) {
      film.programs.last.push(new TextEncoder().encode("this is no film at all"));
      await film.settle();
      await film.settle();
    }
    expect(await outcome(asked)).toMatch(/^unsupported_media broken fragmented MP4/);
    expect(film.programs.running).toEqual([]);
    await film.rendition.close();
  });
});

describe("a program that cannot be ended", () => {
  const deaf = () => Promise.reject(new Error("EIO"));

  test("costs neither its input nor the rendition", async () => {
    const film = fakeFilm();
    film.programs.onStart = (process) => {
      const { kill } = process;
      process.kill = async () => {
        await kill.call(process);
        await deaf();
      };
    };
    const first = held(film.rendition.segment(10, never));
    await film.settle();
    film.programs.last.push(...output(10, 11));
    await first;
    const far = held(film.rendition.segment(50, never));
    await film.clock.advanceSettled(200);
    expect(film.programs.started.map(segmentOf)).toEqual([10, 50]);
    expect(film.inputs.open).toBe(1);
    film.programs.last.push(...output(50, 51));
    expect(secondsIn(await far)).toEqual(contents(50));
    await film.rendition.close();
    expect([film.rendition.runs.length, film.inputs.open]).toEqual([0, 0]);
  });
});

describe("a run that lands badly", () => {
  test("late is started once more from before, and then believed", async () => {
    const film = fakeFilm();
    const asked = held(film.rendition.segment(10, never));
    await film.settle();
    film.programs.last.push(...output(11, 12));
    await film.settle();
    expect(film.programs.started.map(({ seekSec }) => seekSec)).toEqual([40.15, 39.5]);
    film.programs.last.push(...output(9, 11));
    expect(secondsIn(await asked)).toEqual(contents(10));
    expect(film.store.puts).toEqual(["film/v0/init", "film/v0/10"]);
    await film.rendition.close();
  });

  test("behind the boundary of a film without an index, too", async () => {
    const plan = { boundariesSec: PLAN.boundariesSec, keyframes: null, sampleRate: null };
    const track = { ...PLAIN_VIDEO, framesPerSec: 25 };
    const film = fakeFilm({ job: { work: { ...ENCODE, track } as RunWork, plan, tools: TEST_TOOLS } });
    const asked = held(film.rendition.segment(10, never));
    await film.settle();
    film.programs.last.push(initBytes(), frameBytes({ pts: 43_000 }));
    await film.settle();
    expect(film.programs.started.map(({ seekSec }) => seekSec)).toEqual([40, 30]);
    film.programs.last.push(...output(10, 11));
    expect(secondsIn(await asked)).toEqual(contents(10));
    const next = held(film.rendition.segment(20, never));
    await film.clock.advanceSettled(200);
    // A picture that is not quite on the boundary is no hole.
    film.programs.last.push(initBytes(), frameBytes({ pts: 80_060 }), ...pictures(21, 23));
    expect(secondsIn(await next)).toEqual([80.06]);
    await film.rendition.close();
  });

  test("early is no trouble", async () => {
    const film = fakeFilm();
    const asked = held(film.rendition.segment(10, never));
    await film.settle();
    film.programs.last.push(...output(8, 11));
    expect(secondsIn(await asked)).toEqual(contents(10));
    expect(film.programs.started).toHaveLength(1);
    await film.rendition.close();
  });

  test("in an open GOP is started one key frame early, and so is every later run", async () => {
    const film = fakeFilm();
    const asked = held(film.rendition.segment(10, never));
    await film.settle();
    film.programs.last.push(
      initBytes(),
      frameBytes({ pts: 40_000 }),
      frameBytes({ pts: 39_900, isSync: false }),
    );
    await film.settle();
    expect(film.programs.started.map(({ seekSec }) => seekSec)).toEqual([40.15, 39.5]);
    const leading = frameBytes({ pts: 39_900, isSync: false });
    const [key, ...rest] = pictures(10, 12);
    film.programs.last.push(initBytes(), ...pictures(9, 10), key as Uint8Array, leading, ...rest.slice(0, 5));
    expect(secondsIn(await asked)).toEqual([40, 39.9, 41, 42, 43]);
    const far = held(film.rendition.segment(50, never));
    await film.clock.advanceSettled(200);
    expect(film.programs.last.seekSec).toBe(199.5);
    film.programs.last.push(...output(49, 51));
    await far;
    await film.rendition.close();
  });
});

describe("a film that ends before its plan", () => {
  test("is believed the second time; its last part is short, and nothing is behind it", async () => {
    const film = fakeFilm();
    const [last, behind] = [held(film.rendition.segment(10, never)), held(film.rendition.segment(12, never))];
    await film.settle();
    for (let i = 0; i < 2; i++) {
      film.programs.last.push(initBytes(), ...pictures(10, 11).slice(0, 3));
      film.programs.last.exit(0);
      await film.settle();
      await film.settle();
    }
    expect(secondsIn(await last)).toEqual([40, 41, 42]);
    expect(await outcome(behind)).toBe("unsupported_media the film ends before this part");
    expect(await outcome(film.rendition.segment(60, never))).toBe(
      "unsupported_media the film ends before this part",
    );
    expect(film.programs.started).toHaveLength(2);
    await film.rendition.close();
  });

  test("at once gives no init segment", async () => {
    const film = fakeFilm();
    const init = held(film.rendition.init(never));
    await film.settle();
    for (let i = 0; i < 4 && film.programs.running.length > 0; i++) {
      film.programs.last.exit(0);
      await film.settle();
      await film.settle();
    }
    expect(await outcome(init)).toBe("unsupported_media the film ends before this part");
    expect(film.programs.started).toHaveLength(2);
    await film.rendition.close();
  });
});
