// B5 #1, #2: whatever moment the process dies or power fails at, no piece with wrong bytes is believed and none that
// was recorded as synced is lost. Each case is a seed: a made-up torrent, a random session with it, a cut, and a start from any of the last states handed out.

import { describe, expect, test } from "bun:test";
import { Bitfield } from "../../src/base/bitfield.ts";
import { BLOCK_BYTES } from "../../src/base/limits.ts";
import { type Random, seededRandom } from "../../src/base/random.ts";
import { AssemblyBudget } from "../../src/store/index.ts";
import type { ResumeState } from "../../src/store/ports.ts";
import { MemoryDisk } from "../support/memory-disk.ts";
import { wronglyBelieved } from "../support/store-oracle.ts";
import {
  allPieces,
  type Bench,
  benchOf,
  download,
  feed,
  type MadeTorrent,
  makeTorrent,
  NEVER,
} from "../support/store-torrent.ts";

const CASES = process.env["TORRX_TEST_ALL"] ? 10_000 : 200;
const SAVE = "/srv/downloads";
const PARTS_PATH = "/srv/aside.parts";
const KIB = 1024;

function randomTorrent(random: Random): MadeTorrent {
  const pieceLengthBytes = [16, 32, 48][random.below(3)]! * KIB;
  const files = Array.from({ length: 1 + random.below(5) }, (_, index) => ({
    path: random.below(2) === 0 ? `${index}.bin` : `in/side/${index}.bin`,
    lengthBytes: random.below(6) === 0 ? 0 : 1 + random.below(3 * pieceLengthBytes),
    isPad: random.below(8) === 0,
  }));
  files.push({ path: "last.bin", lengthBytes: 1 + random.below(pieceLengthBytes), isPad: false });
  return makeTorrent({ files, pieceLengthBytes, seed: random.below(2 ** 31) });
}

function randomPresence(torrent: MadeTorrent, random: Random): boolean[] {
  return torrent.info.files.map(() => random.below(3) > 0);
}

/** Only pieces with a byte of a file that is to exist are ever downloaded. */
function isWanted(torrent: MadeTorrent, presence: readonly boolean[], piece: number): boolean {
  const start = torrent.geometry.pieceStart(piece);
  const spans = torrent.geometry.spansOf({ start, end: start + torrent.geometry.pieceLength(piece) });
  return spans.some(({ file }) => !file.isPad && presence[file.index] === true);
}

/** One thing that may happen to a torrent. Nothing is waited for: it all overlaps. */
function act(bench: Bench, presence: boolean[], random: Random): void {
  const { info, bytes } = bench.torrent;
  const what = random.below(24);
  const piece = random.below(info.pieceCount);
  if (what < 17 && !isWanted(bench.torrent, presence, piece)) return;
  if (what < 12) feed(bench, piece);
  else if (what === 12) {
    feed(
      bench,
      piece,
      bytes.map((byte) => byte ^ 1),
    );
  } else if (what < 17) putSome(bench, piece, random);
  else if (what < 20) bench.clock.advance(random.below(6000));
  else if (what === 20) bench.clock.advance(60_000);
  else if (what < 23) bench.store.commit().catch(() => undefined);
  else {
    presence[random.below(presence.length)] = random.below(3) > 0;
    bench.store.setPresence(presence.slice()).catch(() => undefined);
  }
}

/** Some blocks of a piece, which stands still from then on or goes on where it stood. */
function putSome(bench: Bench, piece: number, random: Random): void {
  const { geometry, bytes } = bench.torrent;
  for (let block = 0; block < geometry.blockCount(piece); block++) {
    if (random.below(2) > 0) continue;
    const begin = block * BLOCK_BYTES;
    const length = geometry.blockLength(piece, block);
    const slot = bench.store.blockTarget(piece, begin, length, true);
    if (slot === null) continue;
    const start = geometry.pieceStart(piece) + begin;
    slot.write(begin, bytes, start, start + length);
    bench.store.blockArrived(piece, begin, length);
  }
}

/** What the user or a failing disk may do beside. */
function meddle(bench: Bench, disk: MemoryDisk, random: Random): void {
  const what = random.below(8);
  const files = bench.torrent.info.files;
  if (what === 0) {
    disk.removeFile(bench.pathOf(random.below(files.length))).catch(() => undefined);
  } else if (what === 1) {
    bench.store.retry().catch(() => undefined);
  } else if (what === 2) {
    bench.store.recheck(NEVER).catch(() => undefined);
  } else if (what === 3) {
    bench.store.read(random.below(bench.torrent.info.totalBytes), 1).catch(() => undefined);
  } else if (what === 4) {
    const op = (["open", "read", "write", "truncate", "datasync", "syncdir", "mkdir"] as const)[
      random.below(7)
    ];
    const code = ["EIO", "ENOSPC"][random.below(2)];
    let left = 1 + random.below(3);
    disk.failOn = (operation) => (operation.op === op && left-- > 0 ? code : undefined);
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

interface Case {
  readonly seed: number;
  readonly random: Random;
  readonly torrent: MadeTorrent;
  readonly presence: boolean[];
  /** The user and the disk interfere; what was recorded may then be lost, but never wrong. */
  readonly isMeddled: boolean;
  /** Little memory: pieces that stand still go to disk. */
  readonly memoryBytes: number;
}

interface Survivor {
  readonly disk: MemoryDisk;
  readonly state: ResumeState | null;
}

/** A life of the process, from a start to a kill or a power cut; what is left of it. */
async function life(one: Case, from: Survivor): Promise<Survivor> {
  const { random, torrent, presence, isMeddled, memoryBytes } = one;
  const { disk } = from;
  const bench = benchOf({
    torrent,
    disk,
    saveDirectory: SAVE,
    presence: presence.slice(),
    partsPath: PARTS_PATH,
    budget: new AssemblyBudget(memoryBytes),
  });
  const opening = bench.store.open(from.state, NEVER);
  if (random.below(10) > 0) await opening;
  for (let steps = random.below(100); steps > 0; steps--) {
    act(bench, presence, random);
    if (isMeddled) meddle(bench, disk, random);
    await turns(random.below(30));
  }
  if (random.below(6) === 0) {
    bench.store.close().catch(() => undefined);
    await turns(random.below(400));
  }
  const states = [from.state, ...bench.events.states];
  // The record itself may lag a little, unless a piece that was lost is on its way again. The first one does not: it
  // is made durable before anything is written.
  const recorded = states.filter((state) => state !== null).length;
  const lag = isMeddled ? 0 : random.below(Math.max(1, Math.min(4, recorded)));
  // A process cannot know of a sync that failed in an earlier one: pages that only look clean end with the power.
  const isPowerCut = random.below(2) > 0 || disk.hasLostPages;
  return {
    disk: isPowerCut ? disk.powerCut(random) : disk.kill(random),
    state: states[states.length - 1 - lag] ?? null,
  };
}

async function oneCase(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const torrent = randomTorrent(random);
  const isMeddled = random.below(3) === 0;
  const memoryBytes = [256, 256, 64 * KIB][random.below(3)]! * KIB;
  const one: Case = {
    seed,
    random,
    torrent,
    presence: randomPresence(torrent, random),
    isMeddled,
    memoryBytes,
  };
  let left: Survivor = { disk: new MemoryDisk(random, ["/srv", SAVE]), state: null };
  for (let lives = 1 + random.below(3); lives > 0; lives--) {
    left = await life(one, left);
    const wrong = await wronglyBelieved({
      ...left,
      torrent,
      presence: one.presence,
      saveDirectory: SAVE,
      partsPath: PARTS_PATH,
    });
    expect(wrong, `seed ${seed}: believed without a look`).toEqual([]);
  }
  await expectTrueStart(one, left);
}

async function expectTrueStart(one: Case, { disk, state }: Survivor): Promise<void> {
  const { seed, torrent, presence, isMeddled } = one;
  const next = benchOf({ torrent, disk, saveDirectory: SAVE, presence, partsPath: PARTS_PATH });
  await next.store.open(state, NEVER);
  expect(next.events.faults, `seed ${seed}`).toEqual([]);
  const recorded = state === null ? null : Bitfield.tryFrom(state.verified, torrent.info.pieceCount);
  for (const piece of allPieces(torrent)) {
    const label = `seed ${seed}: piece ${piece}`;
    if (recorded?.has(piece) && !isMeddled)
      expect(next.store.have.has(piece), `${label} was kept`).toBe(true);
    if (!next.store.have.has(piece)) continue;
    const start = torrent.geometry.pieceStart(piece);
    const length = torrent.geometry.pieceLength(piece);
    const truth = torrent.bytes.subarray(start, start + length);
    expect(Buffer.compare(await next.store.read(start, length), truth), `${label} is had`).toBe(0);
  }
  await finish(next, { presence, disk, seed, state });
}

interface Start {
  readonly presence: readonly boolean[];
  readonly disk: MemoryDisk;
  readonly seed: number;
  readonly state: ResumeState | null;
}

/** The torrent can still be completed, and after an orderly close nothing is hashed. */
async function finish(bench: Bench, { presence, disk, seed, state }: Start): Promise<void> {
  const { torrent, store } = bench;
  await download(
    bench,
    allPieces(torrent).filter((piece) => !store.have.has(piece)),
  );
  await store.close();
  for (const file of torrent.info.files) {
    if (!presence[file.index] || file.isPad) continue;
    const content = disk.contentOf(bench.pathOf(file.index));
    expect(content, `seed ${seed}: file ${file.index}`).not.toBeNull();
    expect(Buffer.compare(content!, torrent.fileBytes(file.index)), `seed ${seed}: file ${file.index}`).toBe(
      0,
    );
  }
  const before = disk.operations.length;
  const last = benchOf({ torrent, disk, saveDirectory: SAVE, presence, partsPath: PARTS_PATH });
  await last.store.open(bench.events.states.at(-1) ?? state, NEVER);
  expect(last.store.have.isFull, `seed ${seed}: all is had`).toBe(true);
  const reads = disk.operations.slice(before).filter(({ op }) => op === "read");
  expect(reads, `seed ${seed}: nothing is hashed after a clean end`).toEqual([]);
}

describe("power cuts and kills", () => {
  const first = Number(process.env["TORRX_TEST_SEED"] ?? 1);
  test(`at ${CASES} random moments nothing wrong is believed and the download completes`, async () => {
    for (let seed = first; seed < first + CASES; seed++) {
      await oneCase(seed).catch((error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error });
      });
    }
  }, 600_000);
});
