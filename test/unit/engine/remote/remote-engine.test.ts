// The engine over messages behaves as the engine in process: every method, every error, every event, in order.

import { afterEach, describe, expect, test } from "bun:test";
import type { InfoHash } from "../../../../src/base/brand.ts";
import { systemCodeOf, TorrxError } from "../../../../src/base/errors.ts";
import type { EngineEvent, EnginePort, EngineSettings, TorrentSpec } from "../../../../src/engine/port.ts";
import type { ResumeState } from "../../../../src/store/ports.ts";
import { FakeEngine } from "../../../support/fake-engine.ts";
import { type PortOverChannel, portOverChannel } from "./port-over-channel.ts";

const ID = "ab".repeat(20) as InfoHash;
const SETTINGS: EngineSettings = {
  maxDownloadSpeed: 1,
  maxUploadSpeed: 2,
  maxConcurrentTorrents: 3,
  seedRatioLimit: 1.5,
  ramBufferBytes: 4,
  ramTotalBytes: 5,
  bufferAheadPercent: 80,
};
const SPEC: TorrentSpec = {
  id: ID,
  infoBytes: Uint8Array.of(1, 2, 3),
  trackers: [["http://tracker.example/announce"]],
  peers: [{ host: "192.0.2.1", port: 6881 }],
  saveDirectory: "/downloads",
  diskName: null,
  isPaused: false,
  priority: "high",
  download: "all",
  files: [{ isSelected: true, priority: "low" }],
  maxDownloadSpeed: 0,
  maxUploadSpeed: 0,
  downloadedBytes: 5,
  uploadedBytes: 6,
  addedAtMs: 7,
  completedAtMs: null,
  resume: {
    verified: Uint8Array.of(0x80),
    unsure: [3],
    stamps: [{ sizeBytes: 2 ** 40, mtimeMs: 0.5, inode: 9 }, null],
    isClean: false,
  },
};
const READER = {
  reader: 17,
  torrent: ID,
  file: 2,
  viewer: "token",
  clientAddress: "192.0.2.9",
  startBytes: 0,
  endBytes: 2 ** 40,
};

let open: PortOverChannel | null = null;
afterEach(() => open?.close());

function over(engine: EnginePort): PortOverChannel {
  open = portOverChannel(engine);
  return open;
}

/** An engine whose every method notes its arguments and answers with something of its own. */
function notingEngine(calls: unknown[][]): EnginePort {
  const fake = new FakeEngine();
  return new Proxy(fake, {
    get(target, name) {
      if (name === "subscribe") return target.subscribe.bind(target);
      return (...args: unknown[]) => {
        calls.push([name, ...args]);
        return name === "advanceReader" || name === "closeReader"
          ? undefined
          : Promise.resolve({ answerOf: name });
      };
    },
  });
}

type Arguments = { [Name in Exclude<keyof EnginePort, "subscribe">]: Parameters<EnginePort[Name]> };

/** A new method of the port does not compile until it is here. */
const ARGUMENTS: Arguments = {
  add: [SPEC],
  change: [ID, { isPaused: true, peers: [{ host: "192.0.2.2", port: 1 }] }],
  confirmMetadata: [ID, { diskName: "name", files: SPEC.files }],
  remove: [ID, { deleteFiles: true }],
  recheck: [ID],
  reannounce: [ID],
  peers: [ID],
  trackers: [ID],
  pieces: [ID],
  stats: [ID],
  streams: [],
  totals: [],
  configure: [SETTINGS],
  openReader: [READER],
  advanceReader: [17, 4_096],
  closeReader: [17],
  stop: [],
};

describe("the engine over messages", () => {
  test.each(Object.entries(ARGUMENTS))("%s crosses with its arguments and its answer", async (name, args) => {
    const calls: unknown[][] = [];
    const channel = over(notingEngine(calls));
    const method = Reflect.get(channel.remote, name) as (...args: unknown[]) => unknown;
    const answer = method.apply(channel.remote, [...args]);
    if (answer instanceof Promise) expect(await answer).toEqual({ answerOf: name });
    else await channel.remote.totals();
    expect(calls[0]).toEqual([name, ...args]);
  });

  test("a refusal arrives with code, message and seconds to wait", async () => {
    const engine = new FakeEngine();
    const { remote } = over(engine);
    engine.failures.set("recheck", new TorrxError("busy", "later", { retryAfterSec: 7 }));
    const error = await remote.recheck(ID).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TorrxError);
    expect(error).toMatchObject({ code: "busy", message: "later", retryAfterSec: 7, status: 503 });
  });

  test("an error of the system keeps its code, its stack and its causes", async () => {
    const engine = new FakeEngine();
    const { remote } = over(engine);
    const deep = Object.assign(new Error("no space"), { code: "ENOSPC" });
    const thrown = new Error("the store broke", { cause: deep });
    engine.failures.set("recheck", thrown);
    const error = (await remote.recheck(ID).catch((e: unknown) => e)) as Error;
    expect(error).not.toBeInstanceOf(TorrxError);
    expect(error.message).toBe("the store broke");
    expect(error.stack).toBe(thrown.stack as string);
    expect(systemCodeOf(error.cause)).toBe("ENOSPC");
  });

  test("a cause that goes round in a circle ends", async () => {
    const engine = new FakeEngine();
    const { remote } = over(engine);
    const circle = new Error("circle");
    circle.cause = circle;
    engine.failures.set("recheck", circle);
    expect(await remote.recheck(ID).catch((e: unknown) => (e as Error).message)).toBe("circle");
  });

  test("what cannot be cloned rejects its own call only, on the way there and on the way back", async () => {
    const engine = new FakeEngine();
    const { remote } = over(engine);
    const uncloneable = { ...SPEC, saveDirectory: (() => 0) as unknown as string };
    expect(await rejectionOf(remote.add(uncloneable))).toContain("clone");
    engine.totals = () => Promise.resolve({ peers: () => 0 } as never);
    expect(await rejectionOf(remote.totals())).toContain("clone");
    expect(await remote.streams()).toEqual([]);
  });

  test("events arrive in the order in which they were told, before the answer of what told them", async () => {
    const engine = new FakeEngine();
    const { remote } = over(engine);
    const seen: string[] = [];
    remote.subscribe((event) => seen.push(event.type));
    const state = SPEC.resume as ResumeState;
    const events: EngineEvent[] = [
      { type: "stats", torrents: [] },
      { type: "metadata", id: ID, infoBytes: Uint8Array.of(9) },
      { type: "resume", id: ID, state },
      { type: "completed", id: ID, atMs: 5 },
      { type: "dht_nodes", nodes: [{ host: "192.0.2.3", port: 2 }] },
      { type: "warning", code: "c", message: "m" },
    ];
    engine.configure = () => {
      for (const event of events) engine.emit(event);
      return Promise.resolve();
    };
    await remote.configure(SETTINGS).then(() => seen.push("answer"));
    expect(seen).toEqual([...events.map(({ type }) => type), "answer"]);
  });

  test("a listener that throws keeps no other from hearing, and is told of", async () => {
    const engine = new FakeEngine();
    const channel = over(engine);
    const heard: string[] = [];
    channel.remote.subscribe(() => {
      throw new Error("deaf");
    });
    const unsubscribe = channel.remote.subscribe((event) => heard.push(event.type));
    engine.emit({ type: "completed", id: ID, atMs: 1 });
    await channel.settle();
    unsubscribe();
    engine.emit({ type: "completed", id: ID, atMs: 2 });
    await channel.settle();
    expect(heard).toEqual(["completed"]);
    expect(channel.listenerErrors.map(String)).toEqual(["Error: deaf", "Error: deaf"]);
  });

  test("calls keep their order; places of a reader within one turn are one message, before what follows", async () => {
    const calls: unknown[][] = [];
    const { remote, sent } = over(notingEngine(calls));
    void remote.openReader(READER);
    remote.advanceReader(17, 10);
    remote.advanceReader(17, 20);
    remote.advanceReader(18, 5);
    remote.advanceReader(17, 30);
    const answered = remote.totals();
    remote.advanceReader(17, 40);
    await answered;
    remote.advanceReader(17, 50);
    remote.closeReader(17);
    await remote.totals();
    expect(calls).toEqual([
      ["openReader", READER],
      ["advanceReader", 17, 30],
      ["advanceReader", 18, 5],
      ["totals"],
      ["advanceReader", 17, 40],
      ["closeReader", 17],
      ["totals"],
    ]);
    expect(sent).toHaveLength(7);
  });
});

describe("the end of an engine over messages", () => {
  test("its last words come before stop() resolves, and nothing after", async () => {
    const engine = new FakeEngine();
    const channel = over(engine);
    const seen: string[] = [];
    channel.remote.subscribe((event) => seen.push(event.type));
    engine.stop = async () => {
      engine.emit({ type: "dht_nodes", nodes: [] });
      await Promise.resolve();
      engine.emit({ type: "resume", id: ID, state: SPEC.resume as ResumeState });
      engine.emit({ type: "stats", torrents: [] });
    };
    await channel.remote.stop().then(() => seen.push("stopped"));
    engine.emit({ type: "stats", torrents: [] });
    await channel.settle();
    expect(seen).toEqual(["dht_nodes", "resume", "stats", "stopped"]);
    expect(channel.stops()).toBe(1);
    expect(engine.listeners).toBe(0);
  });

  test("while it stops, what was asked before is answered and what is asked then is refused", async () => {
    const engine = new FakeEngine();
    const { remote, sent } = over(engine);
    const { promise: stopped, resolve: finish } = Promise.withResolvers<void>();
    engine.stop = () => stopped;
    const before = remote.totals();
    const stopping = remote.stop();
    expect(remote.stop()).toBe(stopping);
    const refused = await remote.totals().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "busy", message: "TorrX is stopping" });
    remote.advanceReader(1, 1);
    remote.closeReader(1);
    expect((await before).downloadSpeed).toBe(5_000);
    finish();
    await stopping;
    expect(sent.map((message) => (message.type === "call" ? message.name : message.type))).toEqual([
      "totals",
      "stop",
    ]);
  });

  test("a call that the stop leaves unanswered is refused, not forgotten", async () => {
    const engine = new FakeEngine();
    const { remote } = over(engine);
    engine.totals = () => new Promise(() => undefined);
    const waiting = remote.totals().catch((error: unknown) => error);
    await remote.stop();
    expect(await waiting).toMatchObject({ code: "busy" });
  });

  test("a stop that fails says why", async () => {
    const engine = new FakeEngine();
    const { remote } = over(engine);
    engine.stop = () => Promise.reject(new TorrxError("disk_full", "no room for the last record"));
    expect(await rejectionOf(remote.stop())).toBe("no room for the last record");
  });

  test("once it has failed, every call waiting or new is rejected with the cause", async () => {
    const engine = new FakeEngine();
    const { remote, sent } = over(engine);
    engine.totals = () => new Promise(() => undefined);
    const waiting = rejectionOf(remote.totals());
    const cause = new TorrxError("internal", "the engine has failed: boom");
    remote.fail(cause);
    expect(await waiting).toBe(cause.message);
    expect(await rejectionOf(remote.streams())).toBe(cause.message);
    expect(await rejectionOf(remote.stop())).toBe(cause.message);
    remote.advanceReader(1, 1);
    expect(sent).toHaveLength(1);
  });
});

async function rejectionOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => "resolved",
    (error: Error) => error.message,
  );
}
