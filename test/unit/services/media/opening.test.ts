import { beforeEach, describe, expect, test } from "bun:test";
import { TorrxError } from "../../../../src/base/errors.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { seededRandom } from "../../../../src/base/random.ts";
import type { Machine, RenditionId } from "../../../../src/media/index.ts";
import { Fallback } from "../../../../src/services/media/fallback.ts";
import { type Player, type PlayWish, SessionOpening } from "../../../../src/services/media/opening.ts";
import { orderOf } from "../../../../src/services/media/orders.ts";
import type { MediaFacts } from "../../../../src/services/media/ports.ts";
import { Sessions } from "../../../../src/services/media/sessions.ts";
import { ProgramMissing, toldPrograms } from "../../../../src/services/media/told-programs.ts";
import type { StreamTarget } from "../../../../src/services/ports.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { CAPS, FACTS, FILE, MACHINE } from "./film-facts.ts";

const TARGET = { ...FILE, name: "film.mkv" } as unknown as StreamTarget;
const PLAYER: Player = {
  reader: { viewer: "somebody", clientAddress: "192.0.2.1" },
  userAgent: "Mozilla/5.0 Chrome/140.0",
  accept: "*/*",
  signal: new AbortController().signal,
};
const WISH: PlayWish = { caps: CAPS, positionSec: 0, audio: null, quality: "original", isHlsForced: false };
const VIDEO: RenditionId = { kind: "video", track: 0, quality: "original" };

let facts: MediaFacts | TorrxError;
let reads: number;
let found: PromiseWithResolvers<Machine>;
let atHand: Machine;
let segmentSec: number;
let opening: SessionOpening;

beforeEach(() => {
  facts = FACTS;
  reads = 0;
  found = Promise.withResolvers();
  atHand = MACHINE;
  segmentSec = 4;
  const sessions = new Sessions({
    clock: new FakeClock(),
    random: seededRandom(3),
    onAsleep: () => undefined,
    onTick: () => undefined,
  });
  opening = new SessionOpening({
    sessions,
    segmentSec: () => segmentSec,
    factsOf: () => {
      reads++;
      return facts instanceof TorrxError ? Promise.reject(facts) : Promise.resolve(facts);
    },
    machine: {
      get: () => found.promise,
      get atHand() {
        return atHand;
      },
    },
  });
});

const open = (wish: Partial<PlayWish> = {}) => opening.open(TARGET, PLAYER, { ...WISH, ...wish });

describe("a session", () => {
  test("of a film that is copied does not wait for the trial of encoders; one that is encoded does", async () => {
    const copied = await open();
    expect(copied.decision.mode).toBe("remux");
    const encoding = open({ caps: { ...CAPS, types: [] } });
    let isDecided = false;
    void encoding.then(() => {
      isDecided = true;
    });
    await Bun.sleep(0);
    expect(isDecided).toBe(false);
    found.resolve({ ...MACHINE, encoders: [{ kind: "nvenc" }] });
    expect((await encoding).decision).toMatchObject({ mode: "transcode", encoder: { kind: "nvenc" } });
  });

  test("has the qualities that were asked for", async () => {
    expect((await open()).qualities).toEqual(["original"]);
    expect((await open({ quality: "all" })).qualities).toEqual(["original", "720", "480"]);
    found.resolve(MACHINE);
    expect(await open({ quality: "480" })).toMatchObject({
      qualities: ["480"],
      decision: { mode: "transcode" },
    });
  });

  test("shares the plans of its film with the others, unless segments have another length by now", async () => {
    const [one, two] = [await open(), await open()];
    expect(two.film).toBe(one.film);
    segmentSec = 8;
    const three = await open();
    expect(three.film).not.toBe(one.film);
    expect(three.film.video!.boundariesSec.length).toBeLessThan(one.film.video!.boundariesSec.length);
  });

  test("is refused for what its player cannot mean", async () => {
    for (const wish of [{ audio: 2 }, { caps: 5 }, { caps: { ...CAPS, mse: "yes" } }]) {
      await expect(open(wish)).rejects.toMatchObject({ code: "validation" });
    }
    expect(reads).toBe(1);
  });

  test("without a player that asked for one is one for each name, and never the file itself", async () => {
    facts = { ...FACTS, probe: { ...FACTS.probe, format: "mov,mp4,m4a,3gp,3g2,mj2" } };
    const one = await opening.implicit({ ...TARGET, name: "film.mp4" }, PLAYER);
    expect(one.decision.mode).toBe("remux");
    expect(await opening.implicit(TARGET, PLAYER)).toBe(one);
    expect(reads).toBe(1);
    expect(await opening.implicit(TARGET, { ...PLAYER, userAgent: "other" })).not.toBe(one);
    const elsewhere = { ...PLAYER, reader: { ...PLAYER.reader, clientAddress: "192.0.2.77" } };
    expect(await opening.implicit(TARGET, elsewhere)).not.toBe(one);
  });

  test("without anything to play as HLS says why, and what would play it", async () => {
    found.resolve({ ...MACHINE, encoders: [] });
    facts = { ...FACTS, index: { ...FACTS.index, keyframes: null, noIndex: "no_cues" } };
    const refused = await opening.implicit(TARGET, PLAYER).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "unsupported_media" });
    expect((refused as TorrxError).message).toMatch(/no working video encoder .* mode=direct/);
  });
});

describe("a session of a file that could not be read", () => {
  const missing = new ProgramMissing("ffprobe", new TorrxError("unsupported_media", "no /opt/ffprobe"));
  const MP4 = { ...TARGET, name: "film.mp4" };

  test("is the file itself where there is no ffprobe: playable where the player opens such files", async () => {
    facts = missing;
    const { decision, qualities } = await opening.open(MP4, PLAYER, WISH);
    expect(decision).toMatchObject({ mode: "direct", isPlayable: true, offers: [], audio: [] });
    expect(decision.reasons.map(({ code }) => code)).toEqual(["FFmpegNotAvailable"]);
    expect(qualities).toEqual([]);
    expect((await open()).decision).toMatchObject({ mode: "direct", isPlayable: false });
    const vlc = { ...PLAYER, userAgent: "VLC/3.0.20 LibVLC/3.0.20" };
    const { decision: any } = await opening.open(TARGET, vlc, { ...WISH, caps: undefined });
    expect(any).toMatchObject({ mode: "direct", isPlayable: true });
    const sound = await opening.open({ ...TARGET, name: "song.mp3" }, PLAYER, WISH);
    expect(sound.decision.isPlayable).toBe(true);
    const blind = { ...WISH, caps: { ...CAPS, types: [] } };
    expect((await opening.open(MP4, PLAYER, blind)).decision.isPlayable).toBe(false);
  });

  test("is no promise where the file is none that ffmpeg knows", async () => {
    facts = new TorrxError("unsupported_media", "The file holds no picture and no sound.");
    const { decision } = await opening.open(MP4, PLAYER, WISH);
    expect(decision).toMatchObject({ mode: "direct", isPlayable: false });
    expect(decision.reasons.map(({ code }) => code)).toEqual(["ContentNotReadable"]);
  });

  test("is none of HLS, tells no path, and is no obstacle once the file can be read", async () => {
    facts = missing;
    const refused = (await opening.implicit(MP4, PLAYER).catch((error: unknown) => error)) as TorrxError;
    expect(refused.code).toBe("unsupported_media");
    expect(refused.message).not.toContain("/opt");
    expect(missing.message).not.toContain("/opt");
    await open();
    facts = FACTS;
    expect((await open()).decision.mode).toBe("remux");
  });

  test("is refused where the file is only not there yet", async () => {
    facts = new TorrxError("busy", "waiting_pieces: NO_PEERS");
    await expect(open()).rejects.toBe(facts);
  });
});

test("a player that leaves waits no longer for the trial of encoders", async () => {
  const leaving = new AbortController();
  const wish = { ...WISH, caps: { ...CAPS, types: [] } };
  const waiting = opening.open(TARGET, { ...PLAYER, signal: leaving.signal }, wish);
  await Bun.sleep(0);
  leaving.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
});

describe("what is tried next", () => {
  const failed = new TorrxError("unsupported_media", "ffmpeg ended with code 1");
  let lost: unknown[];
  let fallback: Fallback;

  beforeEach(() => {
    lost = [];
    found.resolve(MACHINE);
    fallback = new Fallback({
      log: silentLog,
      machine: {
        get: () =>
          Promise.resolve({ ...MACHINE, encoders: lost.length > 0 ? [{ kind: "x264" }] : atHand.encoders }),
        failed: (encoder) => {
          lost.push(encoder);
          return encoder.kind !== "x264";
        },
      },
    });
  });

  test("for a copy that cannot be cut: an encode, for this session and those to come", async () => {
    const session = await open();
    expect(await fallback.tryOther(session, orderOf(session, VIDEO)!, failed)).toBe(true);
    expect(orderOf(session, VIDEO)!.work.kind).toBe("encode_video");
    expect((await open()).decision.mode).toBe("transcode");
  });

  test("for hardware that fails: the next encoder; behind the last there is nothing", async () => {
    atHand = { ...MACHINE, encoders: [{ kind: "nvenc" }, { kind: "x264" }] };
    found = Promise.withResolvers();
    found.resolve(atHand);
    const session = await open({ caps: { ...CAPS, types: [] } });
    const first = orderOf(session, VIDEO)!;
    expect(first.work).toMatchObject({ encoder: { kind: "nvenc" } });
    expect(await fallback.tryOther(session, first, failed)).toBe(true);
    const second = orderOf(session, VIDEO)!;
    expect(second.work).toMatchObject({ encoder: { kind: "x264" } });
    expect(second.name).not.toBe(first.name);
    expect(await fallback.tryOther(session, second, failed)).toBe(false);
  });

  test("nothing, for a player that has some of the film already, for sound, and for what may pass", async () => {
    const session = await open();
    const order = orderOf(session, VIDEO)!;
    const busy = new TorrxError("busy", "waiting_pieces: nothing has come");
    expect(await fallback.tryOther(session, order, busy)).toBe(false);
    const audio = orderOf(session, { kind: "audio", track: 0, quality: "original" })!;
    expect(await fallback.tryOther(session, audio, failed)).toBe(false);
    session.hasVideo = true;
    expect(await fallback.tryOther(session, order, failed)).toBe(false);
    expect(session.decision.mode).toBe("remux");
  });
});

test("a program that does not start is told of without its path; what else goes wrong stays as it is", async () => {
  let failure = new TorrxError("unsupported_media", "ffmpeg was not found at /opt/secret/ffmpeg");
  const programs = toldPrograms(
    {
      pids: [],
      check: () => Promise.reject(failure),
      killAll: () => Promise.resolve(),
      start: () => Promise.reject(failure),
    },
    silentLog,
  );
  const start = () => programs.start({ program: "ffmpeg", argv: [] }, { isEncode: false });
  const told = (await start().catch((error: unknown) => error)) as TorrxError;
  expect(told).toBeInstanceOf(ProgramMissing);
  expect([told.code, told.message.includes("/opt")]).toEqual(["unsupported_media", false]);
  await expect(programs.check()).rejects.toBe(failure);
  failure = new TorrxError("busy", "no room");
  await expect(start()).rejects.toBe(failure);
});
