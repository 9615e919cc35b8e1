// All blocks of one track in a cluster, found by stepping from header to header: frames of film and sound in between
// are hardly read. For files whose Cues say nothing of the track.

import { ELEMENT_HEADER_BYTES, elementHeaderAt } from "../container/ebml.ts";
import type { MediaSource } from "../ports.ts";
import { type Block, blockAt, isBlockElement, trackNumberOf } from "./matroska-block.ts";
import { readWithin } from "./read-within.ts";

const CLUSTER = 0x1f43b675;
const CLUSTER_TIMESTAMP = 0xe7;
/** The IDs of top elements have four bytes, those within a cluster fewer. */
const FIRST_TOP_ID = 0x10000000;
/** Neighbouring audio frames come in one read; most video frames are stepped over. */
const READ_BYTES = 16 * 1024;
/** From the content of a block group to the number of its track. */
const GROUP_HEAD_BYTES = 64;
const ELEMENTS_MAX = 200_000;
/** Cues, Tags and the like between two clusters. */
const STEPS_MAX = 16;

export interface ScannedCluster {
  readonly timeTicks: number;
  readonly blocks: readonly Block[];
  /** Where the next element begins. */
  readonly end: number;
}

export interface ClusterScan {
  readonly start: number;
  readonly trackNumber: number;
  /** A cluster whose time is not before this is not read: its blocks are left out. */
  readonly beforeTicks: number;
  readonly signal: AbortSignal;
}

/** Where the content begins of the cluster whose header is at `start`; null where there is no cluster. */
export async function clusterDataStart(
  source: MediaSource,
  start: number,
  signal: AbortSignal,
): Promise<number | null> {
  const head = await readWithin(source, { at: start, lengthBytes: ELEMENT_HEADER_BYTES, signal });
  const header = elementHeaderAt(head, 0);
  return header?.id === CLUSTER ? start + header.headerBytes : null;
}

/** The first cluster at or behind an element's start; null where the segment ends before. */
export async function nextCluster(
  source: MediaSource,
  from: number,
  signal: AbortSignal,
): Promise<number | null> {
  let at = from;
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    const head = await readWithin(source, { at, lengthBytes: ELEMENT_HEADER_BYTES, signal });
    const header = elementHeaderAt(head, 0);
    if (header?.id === CLUSTER) return at;
    if (header === null || header.dataBytes === null) return null;
    at += header.headerBytes + header.dataBytes;
  }
  return null;
}

/** Null where no cluster begins. */
export async function scanCluster(source: MediaSource, scan: ClusterScan): Promise<ScannedCluster | null> {
  const reader = new ForwardReader(source, scan.signal);
  const header = elementHeaderAt(await reader.read(scan.start, ELEMENT_HEADER_BYTES), 0);
  if (header?.id !== CLUSTER) return null;
  const dataStart = scan.start + header.headerBytes;
  const end = header.dataBytes === null ? source.lengthBytes : dataStart + header.dataBytes;
  const blocks: Block[] = [];
  let timeTicks = 0;
  let at = dataStart;
  for (let elements = 0; at < end && elements < ELEMENTS_MAX; elements++) {
    const child = elementHeaderAt(await reader.read(at, ELEMENT_HEADER_BYTES), 0);
    if (child === null || child.dataBytes === null || child.id >= FIRST_TOP_ID) break;
    const content = at + child.headerBytes;
    if (child.id === CLUSTER_TIMESTAMP)
      timeTicks = unsigned(await reader.read(content, Math.min(8, child.dataBytes)));
    if (timeTicks >= scan.beforeTicks) break;
    if (isBlockElement(child.id)) {
      const head = await reader.read(content, Math.min(GROUP_HEAD_BYTES, child.dataBytes));
      const isOurs = trackNumberOf(child.id, head) === scan.trackNumber;
      const block = isOurs ? await blockAt(source, at, scan.signal) : null;
      if (block !== null) blocks.push(block);
    }
    at = content + child.dataBytes;
  }
  return { timeTicks, blocks, end: header.dataBytes === null ? at : end };
}

function unsigned(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** Remembers the stretch that it read last. */
class ForwardReader {
  readonly #source: MediaSource;
  readonly #signal: AbortSignal;
  #start = 0;
  #bytes: Uint8Array = new Uint8Array();

  constructor(source: MediaSource, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  /** Fewer bytes where the file ends before. */
  async read(at: number, lengthBytes: number): Promise<Uint8Array> {
    const isHeld = at >= this.#start && at + lengthBytes <= this.#start + this.#bytes.length;
    if (!isHeld) {
      this.#bytes = await readWithin(this.#source, {
        at,
        lengthBytes: Math.max(READ_BYTES, lengthBytes),
        signal: this.#signal,
      });
      this.#start = at;
    }
    return this.#bytes.subarray(at - this.#start, at - this.#start + lengthBytes);
  }
}
