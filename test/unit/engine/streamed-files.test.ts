import { expect, test } from "bun:test";
import type { InfoHash } from "../../../src/base/brand.ts";
import { StreamedFiles } from "../../../src/engine/streamed-files.ts";
import { StreamRegistry } from "../../../src/stream/demand/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

test("a file is streamed from the first reader until its stream's after-life is over", () => {
  const clock = new FakeClock();
  const torrent = "a".repeat(40) as InfoHash;
  const buffer = { ramBufferBytes: 0, ramTotalBytes: 0, bufferAheadPercent: 80 };
  const registry = new StreamRegistry({ clock, buffer, onChange: () => streamed.invalidate() });
  const streamed = new StreamedFiles(() => registry);
  const file = { range: { start: 0, end: 100 }, pieceLengthBytes: 16 };
  const request = {
    reader: 1,
    torrent,
    file: 3,
    viewer: "v",
    clientAddress: "192.0.2.1",
    startBytes: 0,
    endBytes: 100,
  };
  expect([...streamed.of(torrent)]).toEqual([]);
  registry.open(request, file);
  registry.open({ ...request, reader: 2, file: 5, viewer: "w" }, file);
  expect([...streamed.of(torrent)]).toEqual([3, 5]);
  expect(streamed.of("b".repeat(40) as InfoHash).size).toBe(0);
  for (const reader of [1, 2]) registry.close(reader);
  expect(streamed.of(torrent).size).toBe(2);
  clock.advance(61_000);
  registry.expire(clock.nowMs());
  streamed.invalidate();
  expect(streamed.of(torrent).size).toBe(0);
});
