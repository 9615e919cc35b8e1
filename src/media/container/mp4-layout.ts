// The boxes at the top of an MP4 or MOV file: found by their headers alone, as far as it takes to have `moov` and, in a
// fragmented file, what lies between it and the first fragment.

import { LIMITS } from "../../base/limits.ts";
import { broken, IndexFault } from "./index-fault.ts";
import { BOX_HEADER_BYTES, Box, boxHeaderAt } from "./mp4-boxes.ts";
import type { RangeCache } from "./range-cache.ts";

const FIRST_BOXES: ReadonlySet<string> = new Set([
  "ftyp",
  "styp",
  "moov",
  "mdat",
  "free",
  "skip",
  "wide",
  "pnot",
  "sidx",
]);

/** A box in the file: its header at `start`, its content [dataStart, end). */
export interface PlacedBox {
  readonly type: string;
  readonly start: number;
  readonly dataStart: number;
  readonly end: number;
}

export function isMp4Head(head: Uint8Array): boolean {
  const header = boxHeaderAt(head, 0);
  return header !== null && FIRST_BOXES.has(header.type);
}

/** null at the end of the file. IndexFault "broken" where no box can begin. */
export async function boxAt(cache: RangeCache, start: number): Promise<PlacedBox | null> {
  if (start >= cache.lengthBytes) return null;
  const header = boxHeaderAt(await cache.readUpTo(start, BOX_HEADER_BYTES), 0);
  if (header === null) throw broken();
  const end = header.sizeBytes === null ? cache.lengthBytes : start + header.sizeBytes;
  return { type: header.type, start, dataStart: start + header.headerBytes, end };
}

/** The content of a box of at most `limitBytes`. */
export async function contentOf(cache: RangeCache, box: PlacedBox, limitBytes: number): Promise<Box> {
  const lengthBytes = box.end - box.dataStart;
  if (lengthBytes > limitBytes && box.end <= cache.lengthBytes) throw new IndexFault("too_large");
  return new Box(box.type, await cache.read(box.dataStart, lengthBytes));
}

/** Boxes from `start` on up to the first that `isWanted`, which is the last given; fewer where the file ends before. */
export async function walkBoxes(
  cache: RangeCache,
  start: number,
  isWanted: (box: PlacedBox) => boolean,
): Promise<readonly PlacedBox[]> {
  const met: PlacedBox[] = [];
  for (let at = start; met.length < LIMITS.mediaIndex.elementsWalked; ) {
    const box = await boxAt(cache, at);
    if (box === null) return met;
    met.push(box);
    if (isWanted(box)) return met;
    at = box.end;
  }
  throw broken();
}
