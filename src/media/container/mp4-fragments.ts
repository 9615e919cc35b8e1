// Key frames of a fragmented MP4: from the segment index `sidx` in front of the fragments, or from `mfra` behind them.
// Whether their times have the edits applied differs from writer to writer; the first fragment itself tells.

import { LIMITS } from "../../base/limits.ts";
import type { IndexDraft } from "./index-draft.ts";
import { broken } from "./index-fault.ts";
import type { KeyframeList } from "./keyframe-list.ts";
import { Box } from "./mp4-boxes.ts";
import { type FragmentTimes, readFragmentTimes } from "./mp4-fragment.ts";
import { boxAt, contentOf, type PlacedBox } from "./mp4-layout.ts";
import { type IndexedFragment, parseSegmentIndex, type SegmentIndex } from "./mp4-sidx.ts";
import type { RangeCache } from "./range-cache.ts";

export interface FragmentedTrack {
  readonly id: number;
  readonly timescale: number;
  /** What edits take from every time. */
  readonly offsetTicks: number;
  /** How long a frame lasts where a fragment does not say. */
  readonly frameTicks: number;
}

/** Times in ticks of the track, by the index's own reckoning. */
interface FragmentIndex {
  readonly fragments: readonly IndexedFragment[];
  /** null where the index does not tell. */
  readonly endTicks: number | null;
}

/** mfro: the last box of the file; its last four bytes are the size of `mfra`. */
const MFRO_BYTES = 16;
/** Where one of these follows the last fragment that an index knows, there are more. */
const FRAGMENT_BOXES: ReadonlySet<string> = new Set(["moof", "mdat", "sidx", "styp", "emsg", "prft"]);

export class FragmentIndexes {
  readonly #cache: RangeCache;
  readonly #draft: IndexDraft;
  readonly #track: FragmentedTrack;

  constructor(cache: RangeCache, draft: IndexDraft, track: FragmentedTrack) {
    this.#cache = cache;
    this.#draft = draft;
    this.#track = track;
  }

  /** Adds what an index of the whole file says; false where there is none. `boxes` come before the first fragment. */
  async addTo(keyframes: KeyframeList, boxes: readonly PlacedBox[]): Promise<boolean> {
    const index = (await this.#fromSidx(boxes)) ?? (await this.#fromMfra());
    const [first] = index?.fragments ?? [];
    if (index === null || first === undefined) return false;
    const shown = await this.#timesAt(first.positionBytes);
    const shiftTicks = shown === null ? 0 : shown.firstShowTicks - this.#track.offsetTicks - first.ticks;
    for (const { ticks, positionBytes } of index.fragments)
      keyframes.add((ticks + shiftTicks) / this.#track.timescale, positionBytes);
    const endTicks = index.endTicks === null ? await this.#endTicks(index) : index.endTicks + shiftTicks;
    if (endTicks !== null && endTicks > 0) this.#draft.durationSec ??= endTicks / this.#track.timescale;
    return true;
  }

  /** The last fragment that is known ends where the film does, or nearly. */
  async #endTicks({ fragments }: FragmentIndex): Promise<number | null> {
    const last = fragments.at(-1);
    if (this.#draft.durationSec !== null || last === undefined) return null;
    const times = await this.#timesAt(last.positionBytes);
    return times === null ? null : times.endTicks - this.#track.offsetTicks;
  }

  /** null where the fragment does not tell, or lies beyond the end; an index that names no fragment is broken. */
  async #timesAt(fragmentBytes: number): Promise<FragmentTimes | null> {
    let box = await boxAt(this.#cache, fragmentBytes);
    if (box?.type === "styp") box = await boxAt(this.#cache, box.end);
    if (box === null) return null;
    if (box.type !== "moof") throw broken();
    const moof = await contentOf(this.#cache, box, LIMITS.mediaIndex.fragmentIndexBytes);
    return readFragmentTimes(moof, this.#track.id, this.#track.frameTicks);
  }

  async #fromSidx(boxes: readonly PlacedBox[]): Promise<FragmentIndex | null> {
    for (const box of boxes) {
      if (box.type !== "sidx") continue;
      const sidx = await contentOf(this.#cache, box, LIMITS.mediaIndex.fragmentIndexBytes);
      const index = parseSegmentIndex(sidx, box.end);
      if (index === null || index.trackId !== this.#track.id || index.timescale === 0) continue;
      if (!(await this.#isOfWholeFile(index))) continue;
      this.#draft.addHead(box.start, box.end);
      return this.#inTrackTicks(index);
    }
    return null;
  }

  #inTrackTicks(index: SegmentIndex): FragmentIndex {
    const factor = this.#track.timescale / index.timescale;
    const fragments = index.fragments.map(({ ticks, positionBytes }) => ({
      ticks: ticks * factor,
      positionBytes,
    }));
    return { fragments, endTicks: index.endTicks * factor };
  }

  /** Some writers put a small index before every fragment. */
  async #isOfWholeFile(index: SegmentIndex): Promise<boolean> {
    if (index.endBytes >= this.#cache.lengthBytes) return true;
    const next = await boxAt(this.#cache, index.endBytes);
    return next === null || !FRAGMENT_BOXES.has(next.type);
  }

  async #fromMfra(): Promise<FragmentIndex | null> {
    const tail = this.#cache.lengthBytes - MFRO_BYTES;
    if (tail < 0) return null;
    this.#draft.addHead(tail, this.#cache.lengthBytes);
    const mfro = new Box("mfro", await this.#cache.read(tail, MFRO_BYTES));
    const start = this.#cache.lengthBytes - mfro.u32(12);
    if (mfro.code(4) !== "mfro" || start < 0) return null;
    const box = await boxAt(this.#cache, start);
    if (box?.type !== "mfra") return null;
    this.#draft.addHead(box.start, box.end);
    const mfra = await contentOf(this.#cache, box, LIMITS.mediaIndex.fragmentIndexBytes);
    const tfra = mfra.children().find((child) => child.type === "tfra" && child.u32(4) === this.#track.id);
    return tfra === undefined ? null : { fragments: parseTfra(tfra), endTicks: null };
  }
}

/** tfra (ISO 14496-12 §8.8.10): times and places of key frames, each with three numbers of 1 to 4 bytes. */
function parseTfra(tfra: Box): readonly IndexedFragment[] {
  const isLong = tfra.version === 1;
  const sizes = tfra.u32(8);
  const numbersBytes = 3 + ((sizes >> 4) & 3) + ((sizes >> 2) & 3) + (sizes & 3);
  const entryBytes = (isLong ? 16 : 8) + numbersBytes;
  const count = tfra.u32(12);
  tfra.requireTable(16, count, entryBytes);
  return Array.from({ length: count }, (_, entry) => {
    const at = 16 + entry * entryBytes;
    const ticks = isLong ? tfra.u64(at) : tfra.u32(at);
    return { ticks, positionBytes: isLong ? tfra.u64(at + 8) : tfra.u32(at + 4) };
  });
}
