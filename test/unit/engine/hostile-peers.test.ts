// Peers that do not keep to the rules, against a whole engine.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { OpenSocket } from "../../../src/wire/index.ts";
import { EngineWorld, specOf, testTorrent } from "../../support/engine-world.ts";
import { frames } from "../wire/links.ts";

let world: EngineWorld;

beforeEach(() => {
  world = new EngineWorld();
});

afterEach(async () => {
  await world.stop();
  expect(world.net.openSockets).toBe(0);
});

interface Stranger {
  readonly socket: OpenSocket;
  isClosed: boolean;
}

/** Connects from `ip` and says these frames behind the handshake. */
async function stranger(
  ip: string,
  to: { host: string; port: number },
  torrentId: string,
  options: { frames?: readonly Uint8Array[]; peerId?: Uint8Array } = {},
): Promise<Stranger> {
  const socket = await world.net.host(ip).dial(to, { timeoutMs: 1, signal: new AbortController().signal });
  const made: Stranger = { socket, isClosed: false };
  socket.start({
    onData: () => undefined,
    onDrain: () => undefined,
    onClose: () => {
      made.isClosed = true;
    },
  });
  const peerId = options.peerId ?? new Uint8Array(20).fill(Number(ip.split(".")[3]));
  socket.write(frames.handshake({ infoHash: torrentId, peerId }));
  for (const frame of options.frames ?? []) socket.write(frame);
  await world.clock.advanceSettled(100);
  return made;
}

describe("hostile peers", () => {
  test("a bitfield that does not fit the metadata ends its peer when the metadata comes, and nobody else", async () => {
    const torrent = testTorrent([400_000]);
    const seeder = await world.seeder("10.0.0.1", torrent);
    const leecher = await world.engine("10.0.0.2");
    await leecher.engine.add(specOf(torrent, { infoBytes: null }));
    const liars = [
      await stranger("10.0.0.66", leecher.address, torrent.id, {
        frames: [frames.of(5, new Uint8Array(100).fill(255))],
      }),
      await stranger("10.0.0.67", leecher.address, torrent.id, { frames: [frames.numbers(4, 100_000)] }),
    ];
    expect(liars.map(({ isClosed }) => isClosed)).toEqual([false, false]);
    await leecher.engine.change(torrent.id, { peers: [seeder.address] });
    await world.until(() => leecher.events.some((event) => event.type === "metadata"), "metadata");
    await leecher.engine.confirmMetadata(torrent.id, { diskName: "Show", files: [] });
    await world.until(async () => (await leecher.engine.stats(torrent.id)).progress === 1, "complete");
    expect(liars.map(({ isClosed }) => isClosed)).toEqual([true, true]);
  });

  test("a have of a piece that is not there ends the peer", async () => {
    const torrent = testTorrent([400_000]);
    const seeder = await world.seeder("10.0.0.1", torrent);
    const liar = await stranger("10.0.0.66", seeder.address, torrent.id, { frames: [frames.numbers(4, 13)] });
    expect(liar.isClosed).toBe(true);
    expect(await seeder.engine.peers(torrent.id)).toEqual([]);
  });

  test("a second connection under the same peer id is refused, and its end leaves the first alone", async () => {
    const torrent = testTorrent([400_000]);
    const seeder = await world.seeder("10.0.0.1", torrent);
    const peerId = new Uint8Array(20).fill(90);
    const first = await stranger("10.0.0.66", seeder.address, torrent.id, { peerId });
    const second = await stranger("10.0.0.67", seeder.address, torrent.id, { peerId });
    expect([first.isClosed, second.isClosed]).toEqual([false, true]);
    expect(await seeder.engine.peers(torrent.id)).toHaveLength(1);
    const other = await stranger("10.0.0.67", seeder.address, torrent.id);
    expect(other.isClosed).toBe(false);
  });

  test("peers of a torrent that was removed or is unknown are refused", async () => {
    const torrent = testTorrent([400_000]);
    const seeder = await world.seeder("10.0.0.1", torrent);
    const known = await stranger("10.0.0.66", seeder.address, torrent.id);
    await seeder.engine.remove(torrent.id, { deleteFiles: false });
    await world.clock.advanceSettled(10);
    expect(known.isClosed).toBe(true);
    const late = await stranger("10.0.0.67", seeder.address, torrent.id);
    expect(late.isClosed).toBe(true);
  });

  test("a flood of unasked blocks ends the peer, and is counted as no download", async () => {
    const torrent = testTorrent([400_000]);
    const leecher = await world.engine("10.0.0.2");
    await leecher.engine.add(specOf(torrent));
    await world.clock.advanceSettled(500);
    const block = frames.piece(0, 0, new Uint8Array(16 * 1024));
    const flood = Array.from({ length: 65 }, () => block);
    const liar = await stranger("10.0.0.66", leecher.address, torrent.id, { frames: flood });
    expect(liar.isClosed).toBe(true);
    expect((await leecher.engine.stats(torrent.id)).downloadedBytes).toBe(0);
  });
});
