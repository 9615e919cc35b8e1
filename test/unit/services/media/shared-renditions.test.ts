import { beforeEach, describe, expect, test } from "bun:test";
import type { InfoHash } from "../../../../src/base/brand.ts";
import { silentLog } from "../../../../src/base/log.ts";
import type { LoopbackInput, RenditionId } from "../../../../src/media/index.ts";
import { orderOf, trySegment } from "../../../../src/services/media/orders.ts";
import type { MadeRendition, RenditionOrder } from "../../../../src/services/media/ports.ts";
import type { PlaybackSession, SessionPlan } from "../../../../src/services/media/sessions.ts";
import { SharedRenditions } from "../../../../src/services/media/shared-renditions.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { decided, decisionInput, sessionPlan, TORRENT } from "./film-facts.ts";

const VIDEO: RenditionId = { kind: "video", track: 0, quality: "original" };
const SMALL: RenditionId = { kind: "video", track: 0, quality: "480" };
const AUDIO = [0, 1].map((track): RenditionId => ({ kind: "audio", track, quality: "original" }));

class Made implements MadeRendition {
  readonly order: RenditionOrder;
  readonly openInput: (fromBytes: number | null) => Promise<LoopbackInput>;
  closed = Promise.withResolvers<void>();
  isClosed = false;

  constructor(order: RenditionOrder, openInput: (fromBytes: number | null) => Promise<LoopbackInput>) {
    this.order = order;
    this.openInput = openInput;
  }

  init = () => Promise.resolve(new Uint8Array());
  segment = () => Promise.resolve(new Uint8Array());
  prepare = () => undefined;
  close(): Promise<void> {
    this.isClosed = true;
    return this.closed.promise;
  }
}

let clock: FakeClock;
let made: Made[];
let inputs: { readonly who: string; readonly startBytes: number; isOpen: boolean }[];
let dropped: string[];
let renditions: SharedRenditions;

beforeEach(() => {
  clock = new FakeClock();
  made = [];
  inputs = [];
  dropped = [];
  renditions = new SharedRenditions({
    clock,
    log: silentLog,
    make: (order, openInput) => {
      const one = new Made(order, openInput);
      made.push(one);
      return one;
    },
    drop: (name) => dropped.push(name),
    openInput: ({ reader }, _, startBytes) => {
      const input = { who: reader.viewer, startBytes, isOpen: true };
      inputs.push(input);
      return {
        url: `http://127.0.0.1:1/${inputs.length}`,
        close: () => {
          input.isOpen = false;
        },
      };
    },
  });
});

function session(id: string, changes: Partial<SessionPlan> = {}): PlaybackSession {
  const reader = { viewer: id, clientAddress: "192.0.2.1" };
  return { ...sessionPlan({ reader, ...changes }), id, startedAtMs: 0, askedSec: 0, hasVideo: false };
}

const hold = (who: PlaybackSession, id: RenditionId, segment = 0) =>
  renditions.hold(who, orderOf(who, id)!, segment) as Made;

const bytesOf = (who: PlaybackSession, segment: number) =>
  who.film.bytesOf(orderOf(who, VIDEO)!.plan, segment).start;

describe("renditions", () => {
  test("of the same film in the same form are one, whoever watches; another form is another", () => {
    const [one, two] = [session("one"), session("two")];
    expect(hold(one, VIDEO)).toBe(hold(two, VIDEO));
    expect(hold(one, AUDIO[0]!)).not.toBe(hold(one, AUDIO[1]!));
    const noCodec = decisionInput({ caps: { ...decisionInput().caps, types: [] } });
    const encoded = session("three", { decision: decided(noCodec) });
    expect(hold(encoded, VIDEO)).not.toBe(hold(one, VIDEO));
    expect(new Set(made.map(({ order }) => order.name)).size).toBe(made.length);
    for (const { order } of made) expect(order.name).toMatch(/^[\w/-]+$/);
  });

  test("end at once when the last who held them is gone, with all that their programs read by", async () => {
    const [one, two] = [session("one"), session("two")];
    const video = hold(one, VIDEO, 3);
    hold(two, VIDEO, 5);
    await video.openInput(null);
    expect(inputs).toMatchObject([{ who: "two", startBytes: bytesOf(two, 5), isOpen: true }]);
    renditions.release(one);
    expect(video.isClosed).toBe(false);
    renditions.release(two);
    expect([video.isClosed, inputs[0]!.isOpen]).toEqual([true, false]);
    expect(hold(one, VIDEO)).not.toBe(video);
  });

  test("that a player changed away from end after a moment, the others stay", () => {
    const one = session("one");
    const video = hold(one, VIDEO);
    const english = hold(one, AUDIO[0]!);
    clock.advance(1_000);
    const russian = hold(one, AUDIO[1]!);
    renditions.sweep();
    expect(english.isClosed).toBe(false);
    clock.advance(2_500);
    renditions.sweep();
    expect([video.isClosed, english.isClosed, russian.isClosed]).toEqual([false, true, false]);
    const small = hold(one, SMALL);
    clock.advance(4_000);
    renditions.sweep();
    expect([video.isClosed, small.isClosed]).toEqual([true, false]);
  });

  test("a player that goes on with both for a while keeps both", () => {
    const one = session("one");
    const [first, second] = [hold(one, VIDEO), hold(one, SMALL)];
    for (let sec = 0; sec < 10; sec++) {
      clock.advance(1_000);
      hold(one, sec % 2 === 0 ? VIDEO : SMALL);
      renditions.sweep();
    }
    expect([first.isClosed, second.isClosed]).toEqual([false, false]);
  });

  test("tell the store what is near a viewer: what is copied and near none is not worth keeping", () => {
    const one = session("one");
    const { name } = hold(one, VIDEO, 2).order;
    expect(renditions.neededIn(name, "init")).toBe(0);
    expect(renditions.neededIn(name, 2)).toBe(0);
    expect(renditions.neededIn(name, 5)).toBeGreaterThan(0);
    expect(renditions.neededIn("another", 5)).toBe(Number.POSITIVE_INFINITY);
    renditions.release(one);
    expect(renditions.neededIn(name, 5)).toBe(Number.POSITIVE_INFINITY);
  });

  test("read from where their program begins, for who watches there", async () => {
    const [one, two] = [session("one"), session("two")];
    const video = hold(one, VIDEO, 2);
    hold(two, VIDEO, 11);
    const early = bytesOf(one, 2) - 1_000;
    await video.openInput(early);
    await video.openInput(bytesOf(two, 10));
    expect(inputs).toMatchObject([
      { who: "one", startBytes: early },
      { who: "two", startBytes: bytesOf(two, 10) },
    ]);
  });

  test("drop what they made a minute after the last who held them is gone, and so are their programs", async () => {
    const one = session("one");
    const video = hold(one, VIDEO);
    renditions.release(one);
    await clock.advanceSettled(600_000);
    expect(dropped).toEqual([]);
    video.closed.resolve();
    await clock.advanceSettled(59_000);
    expect(dropped).toEqual([]);
    await clock.advanceSettled(1_000);
    expect(dropped).toEqual([video.order.name]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("keep what they made for who comes back before that", async () => {
    const one = session("one");
    const first = hold(one, VIDEO);
    renditions.release(one);
    first.closed.resolve();
    await clock.advanceSettled(30_000);
    const second = hold(one, VIDEO);
    await clock.advanceSettled(600_000);
    expect(dropped).toEqual([]);
    renditions.release(one);
    hold(one, VIDEO);
    second.closed.resolve();
    await clock.advanceSettled(600_000);
    expect(dropped).toEqual([]);
  });

  test("of a torrent that is gone drop what they made at once, and again when the last program is", async () => {
    const one = session("one");
    const [video, audio] = [hold(one, VIDEO), hold(one, AUDIO[0]!)];
    renditions.release(one);
    audio.closed.resolve();
    await clock.settle();
    renditions.forget("cd".repeat(20) as InfoHash);
    expect(dropped).toEqual([]);
    renditions.forget(TORRENT);
    expect(dropped).toEqual([audio.order.name]);
    video.closed.resolve();
    await clock.settle();
    expect(dropped).toEqual([audio.order.name, video.order.name]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("close() leaves no timer, and what was made to the store", async () => {
    const one = session("one");
    const [video, audio] = [hold(one, VIDEO), hold(one, AUDIO[0]!)];
    for (const { closed } of [video, audio]) closed.resolve();
    renditions.release(one);
    await clock.settle();
    hold(one, VIDEO);
    made[2]!.closed.resolve();
    await renditions.close();
    expect(clock.pendingTimers).toBe(0);
    expect(dropped).toEqual([]);
  });

  test("close() waits until the last program is gone", async () => {
    hold(session("one"), VIDEO);
    let isDone = false;
    const closing = renditions.close().then(() => {
      isDone = true;
    });
    await Promise.resolve();
    expect([made[0]!.isClosed, isDone]).toEqual([true, false]);
    made[0]!.closed.resolve();
    await closing;
  });
});

test("orders: nothing for a track that is not there or a quality that was not offered", () => {
  const one = session("one");
  expect(orderOf(one, { kind: "audio", track: 2, quality: "original" })).toBeNull();
  expect(orderOf(one, { kind: "subtitle", track: 0, quality: "original" })).toBeNull();
  const slow = decided({ machine: { ...decisionInput().machine, encoders: [] } });
  expect(orderOf(session("two", { decision: slow }), SMALL)).toBeNull();
  const { plan } = orderOf(one, VIDEO)!;
  const last = plan.boundariesSec.length - 2;
  expect(trySegment(String(last), plan)).toBe(last);
  for (const text of [String(last + 1), "-1", "1.5", "x", "", "1e1", "00000001"]) {
    expect(trySegment(text, plan), text).toBeNull();
  }
});
