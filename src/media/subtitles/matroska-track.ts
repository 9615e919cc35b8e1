// What reading a text track of a Matroska file takes: how its blocks are packed, and where Cues say that they lie.

import { setImmediate } from "node:timers/promises";
import { ElementCursor } from "../container/ebml.ts";
import type { BlockPacking } from "./track-text.ts";

const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const CONTENT_ENCODINGS = 0x6d80;
const CONTENT_ENCODING = 0x6240;
const ENCODING_SCOPE = 0x5032;
const ENCODING_TYPE = 0x5033;
const COMPRESSION = 0x5034;
const COMPRESSION_ALGORITHM = 0x4254;
const COMPRESSION_SETTINGS = 0x4255;
const SCOPE_BLOCK = 1;
const ZLIB = 0;
const HEADER_STRIPPING = 3;

const CUE_POINT = 0xbb;
const CUE_TIME = 0xb3;
const CUE_TRACK_POSITIONS = 0xb7;
const CUE_TRACK = 0xf7;
const CUE_CLUSTER_POSITION = 0xf1;
const CUE_RELATIVE_POSITION = 0xf0;
const CUE_DURATION = 0xb2;
const PAUSE_BYTES = 256 * 1024;

/** `tracks` is the content of the Tracks element. */
export function packingOf(tracks: Uint8Array, trackNumber: number): BlockPacking {
  const cursor = new ElementCursor(tracks);
  while (cursor.next()) {
    if (cursor.id !== TRACK_ENTRY) continue;
    const entry = cursor.children();
    let number = 0;
    let packing: BlockPacking = { kind: "plain" };
    while (entry.next()) {
      if (entry.id === TRACK_NUMBER) number = entry.uint();
      if (entry.id === CONTENT_ENCODINGS) packing = readEncodings(entry.children());
    }
    if (number === trackNumber) return packing;
  }
  return { kind: "plain" };
}

/** Of several encodings on top of one another nobody makes use. */
function readEncodings(cursor: ElementCursor): BlockPacking {
  let packing: BlockPacking = { kind: "plain" };
  while (cursor.next()) {
    if (cursor.id !== CONTENT_ENCODING) continue;
    if (packing.kind !== "plain") return { kind: "unknown" };
    packing = readEncoding(cursor.children());
  }
  return packing;
}

function readEncoding(cursor: ElementCursor): BlockPacking {
  let scope = SCOPE_BLOCK;
  let isEncrypted = false;
  let algorithm = ZLIB;
  let settings = new Uint8Array();
  while (cursor.next()) {
    if (cursor.id === ENCODING_SCOPE) scope = cursor.uint();
    if (cursor.id === ENCODING_TYPE) isEncrypted = cursor.uint() !== 0;
    if (cursor.id !== COMPRESSION) continue;
    const compression = cursor.children();
    while (compression.next()) {
      if (compression.id === COMPRESSION_ALGORITHM) algorithm = compression.uint();
      if (compression.id === COMPRESSION_SETTINGS) settings = compression.data().slice();
    }
  }
  if ((scope & SCOPE_BLOCK) === 0) return { kind: "plain" };
  if (isEncrypted) return { kind: "unknown" };
  if (algorithm === ZLIB) return { kind: "zlib" };
  return algorithm === HEADER_STRIPPING ? { kind: "header_stripped", header: settings } : { kind: "unknown" };
}

/** Where Cues say that a block of a track lies. */
export interface CuePoint {
  readonly timeSec: number;
  /** Null where it is not told. */
  readonly durationSec: number | null;
  /** Of the cluster's header, in the file. */
  readonly clusterStart: number;
  /** Of the block within the cluster's content; null where only the cluster is told. */
  readonly relativeBytes: number | null;
}

export interface CueMap {
  /** By track number, each ascending in time. */
  readonly pointsOf: ReadonlyMap<number, readonly CuePoint[]>;
  /** All clusters that a point of any track names, ascending. */
  readonly clusters: readonly { readonly start: number; readonly timeSec: number }[];
}

export interface CueMapScope {
  readonly scaleNs: number;
  readonly segmentDataStart: number;
  /** Numbers of the text tracks: of the others only the clusters are of use. */
  readonly textTracks: ReadonlySet<number>;
  readonly pointsMax: number;
}

/** `cues` is the content of the Cues element. Lets other work of the thread in between: it can be of 64 MiB. */
export async function readCueMap(cues: Uint8Array, scope: CueMapScope): Promise<CueMap> {
  const pointsOf = new Map<number, CuePoint[]>();
  const clusters = new Map<number, number>();
  const cursor = new ElementCursor(cues);
  let pausedAtBytes = 0;
  for (let points = 0; points < scope.pointsMax && cursor.next(); ) {
    if (cursor.id !== CUE_POINT) continue;
    if (cursor.endBytes - pausedAtBytes > PAUSE_BYTES) {
      pausedAtBytes = cursor.endBytes;
      await setImmediate();
    }
    for (const { trackNumber, point } of readCuePoint(cursor.children(), scope)) {
      points++;
      if (!clusters.has(point.clusterStart)) clusters.set(point.clusterStart, point.timeSec);
      if (!scope.textTracks.has(trackNumber)) continue;
      const list = pointsOf.get(trackNumber);
      if (list === undefined) pointsOf.set(trackNumber, [point]);
      else list.push(point);
    }
  }
  for (const list of pointsOf.values()) list.sort((a, b) => a.timeSec - b.timeSec);
  const placed = [...clusters].map(([start, timeSec]) => ({ start, timeSec }));
  return { pointsOf, clusters: placed.sort((a, b) => a.start - b.start) };
}

function readCuePoint(cursor: ElementCursor, scope: CueMapScope): { trackNumber: number; point: CuePoint }[] {
  const found: { trackNumber: number; point: CuePoint }[] = [];
  const ticksSec = scope.scaleNs / 1e9;
  let timeSec: number | null = null;
  while (cursor.next()) {
    if (cursor.id === CUE_TIME) timeSec = cursor.uint() * ticksSec;
    if (cursor.id !== CUE_TRACK_POSITIONS || timeSec === null) continue;
    const place = readPositions(cursor.children());
    if (place.cluster === null) continue;
    const point = {
      timeSec,
      durationSec: place.duration === null ? null : place.duration * ticksSec,
      clusterStart: scope.segmentDataStart + place.cluster,
      relativeBytes: place.relative,
    };
    found.push({ trackNumber: place.track, point });
  }
  return found;
}

function readPositions(cursor: ElementCursor) {
  let track = 0;
  let cluster: number | null = null;
  let relative: number | null = null;
  let duration: number | null = null;
  while (cursor.next()) {
    if (cursor.id === CUE_TRACK) track = cursor.uint();
    if (cursor.id === CUE_CLUSTER_POSITION) cluster ??= cursor.uint();
    if (cursor.id === CUE_RELATIVE_POSITION) relative ??= cursor.uint();
    if (cursor.id === CUE_DURATION) duration ??= cursor.uint();
  }
  return { track, cluster, relative, duration };
}
