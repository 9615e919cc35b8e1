import { describe, expect, test } from "bun:test";
import { BLOCK_BYTES } from "../../../src/base/limits.ts";
import { RateLimits, type TorrentLimits } from "../../../src/engine/rate-limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** Requests whole blocks whenever allowed, every 10 ms, and returns bytes per second for each torrent. */
function download(clock: FakeClock, torrents: readonly TorrentLimits[], seconds: number): number[] {
  const taken = torrents.map(() => 0);
  for (let ms = 0; ms < seconds * 1_000; ms += 10) {
    clock.advance(10);
    torrents.forEach((limits, index) => {
      let left = limits.downAvailable().backgroundBytes;
      let ordered = 0;
      for (; left > 0 && ordered < 64 * BLOCK_BYTES; left -= BLOCK_BYTES) ordered += BLOCK_BYTES;
      limits.takeDown(0, ordered);
      taken[index]! += ordered;
    });
  }
  return taken.map((bytes) => bytes / seconds);
}

const within = (rate: number, target: number) => Math.abs(rate - target) / target;

describe("rate limits", () => {
  test.each([20_000, 300_000, 5_000_000])("a torrent's mean rate is %d bytes/s within 5 %%", (limit) => {
    const clock = new FakeClock();
    const [rate] = download(clock, [new RateLimits(clock).ofTorrent(limit, 0)], 60);
    expect(within(rate!, limit)).toBeLessThan(0.05);
  });

  test("all torrents together keep to the global limit", () => {
    const clock = new FakeClock();
    const limits = new RateLimits(clock);
    limits.setGlobal(1_000_000, 0);
    const rates = download(
      clock,
      [limits.ofTorrent(0, 0), limits.ofTorrent(0, 0), limits.ofTorrent(50_000, 0)],
      60,
    );
    const total = rates.reduce((sum, rate) => sum + rate, 0);
    expect(within(total, 1_000_000)).toBeLessThan(0.05);
  });

  test("uploads keep to the lower of both limits", () => {
    const clock = new FakeClock();
    const limits = new RateLimits(clock);
    limits.setGlobal(0, 400_000);
    const torrent = limits.ofTorrent(0, 100_000);
    let sent = 0;
    for (let ms = 0; ms < 60_000; ms += 10) {
      clock.advance(10);
      for (; torrent.upAvailable() > 0; sent += BLOCK_BYTES) torrent.takeUp(BLOCK_BYTES);
    }
    expect(within(sent / 60, 100_000)).toBeLessThan(0.05);
  });

  test("while a stream is hungry the background of all torrents shares a trickle, and streams do not", () => {
    const clock = new FakeClock();
    const limits = new RateLimits(clock);
    limits.setStreamHungry(true);
    const torrents = [limits.ofTorrent(0, 0), limits.ofTorrent(0, 0)];
    const total = download(clock, torrents, 60).reduce((sum, rate) => sum + rate, 0);
    expect(within(total, 64 * 1024)).toBeLessThan(0.05);
    expect(torrents[0]!.downAvailable().streamBytes).toBe(Number.POSITIVE_INFINITY);
    limits.setStreamHungry(false);
    expect(torrents[0]!.downAvailable().backgroundBytes).toBe(Number.POSITIVE_INFINITY);
  });

  test("without limits nothing holds back, and a limit that is lifted holds no longer", () => {
    const clock = new FakeClock();
    const torrent = new RateLimits(clock).ofTorrent(1_000, 1_000);
    torrent.takeDown(1e6, 0);
    torrent.takeUp(1e6);
    expect(torrent.downAvailable()).toEqual({ streamBytes: 0, backgroundBytes: 0 });
    expect(torrent.upAvailable()).toBeLessThan(0);
    torrent.set(0, 0);
    expect(torrent.downAvailable().streamBytes).toBe(Number.POSITIVE_INFINITY);
    expect(torrent.upAvailable()).toBe(Number.POSITIVE_INFINITY);
  });
});
