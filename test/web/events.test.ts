// The live connection over time, without a browser: its timers, its event source and the page's visibility are made
// here.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Timer } from "../../src/base/clock.ts";
import { connectLive } from "../../web/src/api/events.ts";
import { FakeClock } from "../support/fake-clock.ts";

class Source extends EventTarget {
  static readonly all: Source[] = [];
  isOpen = true;
  onerror: (() => void) | null = null;

  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }

  close(): void {
    this.isOpen = false;
  }

  tell(type: string, data: object): void {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }));
  }
}

class Page extends EventTarget {
  readonly clock = new FakeClock();
  readonly #timers: Timer[] = [];

  setTimeout(task: () => void, ms: number): number {
    return this.#timers.push(this.clock.after(ms, task));
  }

  clearTimeout(id: number): void {
    this.#timers[id - 1]?.cancel();
  }
}

describe("the live connection", () => {
  const names = ["window", "document", "location", "EventSource"] as const;
  const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  let page: Page;
  let view: EventTarget & { visibilityState: string };
  let told: string[];
  let stop: () => void;

  beforeEach(() => {
    Source.all.length = 0;
    page = new Page();
    view = Object.assign(new EventTarget(), { visibilityState: "visible" });
    const values = [page, view, { origin: "http://tv.lan:8080" }, Source];
    names.forEach((name, index) => {
      Object.defineProperty(globalThis, name, { value: values[index], configurable: true, writable: true });
    });
    told = [];
    stop = connectLive({
      onSnapshot: ({ torrents }) => told.push(`snapshot ${torrents.length}`),
      onPatch: ({ torrents, removed }) => told.push(`patch ${torrents.length} ${removed.length}`),
      onConnected: (isConnected) => told.push(isConnected ? "connected" : "lost"),
    });
  });
  afterEach(() => {
    stop();
    names.forEach((name, index) => {
      const old = before[index];
      if (old === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, old);
    });
  });

  const last = () => Source.all[Source.all.length - 1] as Source;
  const show = (state: "visible" | "hidden") => {
    view.visibilityState = state;
    view.dispatchEvent(new Event("visibilitychange"));
  };

  test("tells the snapshot, then the patches", () => {
    expect(last().url).toBe("http://tv.lan:8080/api/events");
    last().tell("snapshot", { seq: 0, torrents: [{}] });
    last().tell("patch", { seq: 1, torrents: [{}, {}], removed: ["a"] });
    expect(told).toEqual(["snapshot 1", "connected", "patch 2 1"]);
  });

  test("comes back after growing pauses, which start anew once it was connected", () => {
    for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      const count = Source.all.length;
      last().onerror?.();
      expect(last().isOpen).toBe(false);
      page.clock.advance(pauseMs - 1);
      expect(Source.all.length).toBe(count);
      page.clock.advance(1);
      expect(Source.all.length).toBe(count + 1);
    }
    last().tell("snapshot", { seq: 0, torrents: [] });
    last().onerror?.();
    page.clock.advance(1_000);
    expect(last().isOpen).toBe(true);
  });

  test("takes 25 s of silence for a lost connection, also before the first word; pings are words", () => {
    last().tell("snapshot", { seq: 0, torrents: [] });
    for (let count = 0; count < 10; count++) {
      page.clock.advance(24_000);
      last().tell("ping", {});
    }
    expect(told).toEqual(["snapshot 0", "connected"]);
    page.clock.advance(25_000);
    expect(told).toEqual(["snapshot 0", "connected", "lost"]);
    page.clock.advance(1_000);
    expect(Source.all.length).toBe(2);
    page.clock.advance(25_000);
    expect(told.filter((word) => word === "lost").length).toBe(2);
  });

  test("is closed while the tab is hidden, and asks anew when it is shown or the network is back", () => {
    last().tell("snapshot", { seq: 0, torrents: [] });
    show("hidden");
    expect(last().isOpen).toBe(false);
    page.dispatchEvent(new Event("online"));
    page.clock.advance(600_000);
    expect(Source.all.length).toBe(1);
    show("visible");
    expect(Source.all.length).toBe(2);
    last().onerror?.();
    page.dispatchEvent(new Event("online"));
    expect(Source.all.length).toBe(3);
    page.clock.advance(1_000);
    expect(Source.all.length).toBe(3);
  });

  test("leaves nothing behind", () => {
    stop();
    expect(last().isOpen).toBe(false);
    expect(page.clock.pendingTimers).toBe(0);
    show("visible");
    page.dispatchEvent(new Event("online"));
    expect(Source.all.length).toBe(1);
  });
});
