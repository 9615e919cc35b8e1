// Where the top elements of a Matroska file lie (RFC 9559 §4.5, §6.3). What stands before the first cluster is walked
// by headers alone; the rest is known by SeekHeads. Only a file without any is walked past a few clusters.

import { LIMITS } from "../../base/limits.ts";
import { ELEMENT_HEADER_BYTES, ElementCursor, elementHeaderAt } from "./ebml.ts";
import { broken, IndexFault } from "./index-fault.ts";
import type { RangeCache } from "./range-cache.ts";

export const ID = {
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  info: 0x1549a966,
  tracks: 0x1654ae6b,
  cues: 0x1c53bb6b,
  cluster: 0x1f43b675,
  attachments: 0x1941a469,
  chapters: 0x1043a770,
  tags: 0x1254c367,
} as const;

const SEEK = 0x4dbb;
const SEEK_ID = 0x53ab;
const SEEK_POSITION = 0x53ac;

/** An element in the file: its header at `start`, its content [dataStart, end). */
export interface PlacedElement {
  readonly id: number;
  readonly start: number;
  readonly dataStart: number;
  /** The end of its parent where its size is unknown or runs past it. */
  readonly end: number;
  /** Its size is known and fits. */
  readonly isWhole: boolean;
}

export class MatroskaLayout {
  readonly #cache: RangeCache;
  readonly #segment: PlacedElement;
  readonly #met = new Map<number, PlacedElement>();
  /** What SeekHeads say: ID → where its element begins in the file. */
  readonly #told = new Map<number, number>();
  #firstCluster: PlacedElement | null = null;

  private constructor(cache: RangeCache, segment: PlacedElement) {
    this.#cache = cache;
    this.#segment = segment;
  }

  static async read(cache: RangeCache): Promise<MatroskaLayout> {
    const layout = new MatroskaLayout(cache, await findSegment(cache));
    await layout.#walk();
    return layout;
  }

  /** Positions within SeekHead and Cues count from here. */
  get segmentDataStart(): number {
    return this.#segment.dataStart;
  }

  /** null where there is no frame at all. */
  get firstClusterStart(): number | null {
    return this.#firstCluster?.start ?? null;
  }

  /** null where the file has none; "misplaced" where it is not at the place that a SeekHead names. */
  async find(id: number): Promise<PlacedElement | "misplaced" | null> {
    const met = this.#met.get(id);
    if (met !== undefined) return met;
    if (!this.#told.has(id)) await this.#readSecondSeekHead();
    const start = this.#told.get(id);
    if (start === undefined) return null;
    const element = await placedAt(this.#cache, start, this.#segment.end);
    if (element?.id !== id) return "misplaced";
    this.#met.set(id, element);
    return element;
  }

  /** The content of an element of at most `limitBytes`. */
  async contentOf(element: PlacedElement, limitBytes: number): Promise<Uint8Array> {
    if (!element.isWhole) throw broken();
    const lengthBytes = element.end - element.dataStart;
    if (lengthBytes > limitBytes) throw new IndexFault("too_large");
    return await this.#cache.read(element.dataStart, lengthBytes);
  }

  async #walk(): Promise<void> {
    let at = this.#segment.dataStart;
    let clusters = 0;
    for (let steps = 0; steps < LIMITS.mediaIndex.elementsWalked; steps++) {
      const element = await placedAt(this.#cache, at, this.#segment.end);
      if (element === null) return;
      if (element.id === ID.cluster) {
        this.#firstCluster ??= element;
        if (this.#told.size > 0 || ++clusters > LIMITS.mediaIndex.clustersWalked) return;
      } else {
        if (!this.#met.has(element.id)) this.#met.set(element.id, element);
        if (element.id === ID.seekHead && element.isWhole) await this.#readSeekHead(element);
      }
      if (!element.isWhole) return;
      at = element.end;
    }
  }

  /** Old writers let a first SeekHead name nothing but a second, which lies behind the clusters. */
  async #readSecondSeekHead(): Promise<void> {
    const start = this.#told.get(ID.seekHead);
    if (start === undefined) return;
    this.#told.delete(ID.seekHead);
    const element = await placedAt(this.#cache, start, this.#segment.end);
    if (element?.id === ID.seekHead) await this.#readSeekHead(element);
  }

  async #readSeekHead(element: PlacedElement): Promise<void> {
    const cursor = new ElementCursor(await this.contentOf(element, LIMITS.mediaIndex.metadataBytes));
    while (cursor.next()) {
      if (cursor.id !== SEEK) continue;
      const { id, position } = readSeek(cursor.children());
      if (id === null || position === null || this.#told.has(id)) continue;
      this.#told.set(id, this.#segment.dataStart + position);
    }
  }
}

function readSeek(cursor: ElementCursor): { id: number | null; position: number | null } {
  let id: number | null = null;
  let position: number | null = null;
  while (cursor.next()) {
    if (cursor.id === SEEK_ID) id = cursor.uint();
    if (cursor.id === SEEK_POSITION) position = cursor.uint();
  }
  return { id, position };
}

async function findSegment(cache: RangeCache): Promise<PlacedElement> {
  let at = 0;
  for (let steps = 0; steps < LIMITS.mediaIndex.elementsWalked; steps++) {
    const element = await placedAt(cache, at, cache.lengthBytes);
    if (element === null) break;
    if (element.id === ID.segment) return element;
    at = element.end;
  }
  throw broken();
}

/** null at `limit` and where no element begins. */
async function placedAt(cache: RangeCache, start: number, limit: number): Promise<PlacedElement | null> {
  if (start >= limit) return null;
  const header = elementHeaderAt(await cache.readUpTo(start, ELEMENT_HEADER_BYTES), 0);
  if (header === null) return null;
  const dataStart = start + header.headerBytes;
  const end = header.dataBytes === null ? limit : Math.min(limit, dataStart + header.dataBytes);
  const isWhole = header.dataBytes !== null && dataStart + header.dataBytes <= limit;
  return { id: header.id, start, dataStart, end, isWhole };
}
