// Cues of the text tracks of a Matroska file. Where the file's index lists the track's blocks (mkvmerge and ffmpeg write
// it so) each is read from its place, a kilobyte at a time; else the clusters of the time asked for are stepped through.

import { LIMITS } from "../../base/limits.ts";
import { IndexFault } from "../container/index-fault.ts";
import type { MediaSource } from "../ports.ts";
import type { Cue } from "./cue.ts";
import type { CueReader } from "./cue-reader.ts";
import { type Block, blockAt } from "./matroska-block.ts";
import { clusterDataStart, nextCluster, scanCluster } from "./matroska-cluster.ts";
import type { CueMap, CuePoint } from "./matroska-track.ts";
import { type BlockPacking, type SampleDecoder, unpacked } from "./track-text.ts";

/** A line whose end the index does not tell may have begun this long before. */
const LINE_SEC = 12;
/** Between the nearest cluster known and the time asked for; more would have to be read for nothing. */
const WALK_SEC = 60;
const CLUSTERS_AT_ONCE = 8;

export interface MatroskaTextTrack {
  readonly source: MediaSource;
  readonly number: number;
  readonly scaleNs: number;
  readonly packing: BlockPacking;
  readonly decode: SampleDecoder;
  readonly map: CueMap;
  /** Where the first cluster is. */
  readonly firstCluster: number;
}

export class MatroskaCuesReader implements CueReader {
  readonly #track: MatroskaTextTrack;
  readonly #points: readonly CuePoint[];
  /** Start of a cluster → of its content. */
  readonly #dataStarts = new Map<number, number | null>();
  /** Clusters whose place is known, ascending; those met on the way are added. */
  readonly #clusters: { readonly start: number; readonly timeSec: number }[];

  constructor(track: MatroskaTextTrack) {
    this.#track = track;
    this.#points = track.map.pointsOf.get(track.number) ?? [];
    const { clusters } = track.map;
    const first = { start: track.firstCluster, timeSec: 0 };
    this.#clusters = clusters[0]?.start === track.firstCluster ? [...clusters] : [first, ...clusters];
  }

  async read(fromSec: number, toSec: number, signal: AbortSignal): Promise<Cue[] | null> {
    const read = this.#points.length > 0 ? this.#listed : this.#walked;
    const cues = await read.call(this, fromSec, toSec, signal);
    return cues?.filter((cue) => isWithin(cue, fromSec, toSec)) ?? null;
  }

  async #listed(fromSec: number, toSec: number, signal: AbortSignal): Promise<Cue[]> {
    const wanted = this.#points
      .filter(({ timeSec, durationSec }) => timeSec < toSec && timeSec + (durationSec ?? LINE_SEC) > fromSec)
      .slice(0, LIMITS.subtitles.cues);
    const clusters = [...Map.groupBy(wanted, (point) => point.clusterStart)];
    const cues: Cue[] = [];
    for (let i = 0; i < clusters.length; i += CLUSTERS_AT_ONCE) {
      const some = clusters.slice(i, i + CLUSTERS_AT_ONCE);
      const read = some.map(([start, points]) => this.#cuesOfCluster(start, points, signal));
      cues.push(...(await Promise.all(read)).flat());
    }
    return cues;
  }

  /** Each from its place; where the index tells only the cluster, or what is not so, all that are in it. */
  async #cuesOfCluster(start: number, points: readonly CuePoint[], signal: AbortSignal): Promise<Cue[]> {
    const dataStart = await this.#dataStartOf(start, signal);
    if (dataStart === null) return [];
    const cues: Cue[] = [];
    for (const point of points) {
      const block = await this.#blockOf(point, dataStart, signal);
      if (block === null) return (await this.#scanned(start, Number.POSITIVE_INFINITY, signal))?.cues ?? [];
      const cue = this.#cueOf(block, point.timeSec, point.durationSec);
      if (cue !== null) cues.push(cue);
    }
    return cues;
  }

  async #blockOf(point: CuePoint, dataStart: number, signal: AbortSignal): Promise<Block | null> {
    if (point.relativeBytes === null) return null;
    const block = await sound(blockAt(this.#track.source, dataStart + point.relativeBytes, signal));
    return block?.trackNumber === this.#track.number ? block : null;
  }

  async #dataStartOf(cluster: number, signal: AbortSignal): Promise<number | null> {
    const known = this.#dataStarts.get(cluster);
    if (known !== undefined) return known;
    const dataStart = await clusterDataStart(this.#track.source, cluster, signal);
    this.#dataStarts.set(cluster, dataStart);
    return dataStart;
  }

  async #walked(fromSec: number, toSec: number, signal: AbortSignal): Promise<Cue[] | null> {
    const first = this.#clusters.findLast(({ timeSec }) => timeSec <= fromSec) ?? this.#clusters[0];
    if (first === undefined || fromSec - first.timeSec > WALK_SEC) return null;
    const cues: Cue[] = [];
    for (let at: number | null = first.start; at !== null; ) {
      const start = await nextCluster(this.#track.source, at, signal);
      const cluster = start === null ? null : await this.#scanned(start, toSec, signal);
      cues.push(...(cluster?.cues ?? []));
      at = cluster === null || cluster.timeSec >= toSec ? null : cluster.end;
    }
    return cues;
  }

  async #scanned(
    start: number,
    beforeSec: number,
    signal: AbortSignal,
  ): Promise<{ cues: Cue[]; timeSec: number; end: number } | null> {
    const { source, number, scaleNs } = this.#track;
    const ticksSec = scaleNs / 1e9;
    const scan = { start, trackNumber: number, beforeTicks: beforeSec / ticksSec, signal };
    const cluster = await sound(scanCluster(source, scan));
    if (cluster === null) return null;
    const timeSec = cluster.timeTicks * ticksSec;
    this.#remember(start, timeSec);
    const cues = cluster.blocks.map((block) =>
      this.#cueOf(block, (cluster.timeTicks + block.ticks) * ticksSec, null),
    );
    return { cues: cues.filter((cue) => cue !== null), timeSec, end: cluster.end };
  }

  #remember(start: number, timeSec: number): void {
    const at = this.#clusters.findLastIndex((cluster) => cluster.start <= start);
    if (this.#clusters[at]?.start !== start) this.#clusters.splice(at + 1, 0, { start, timeSec });
  }

  /** A block's own duration is what counts; that of the index stands in for it. */
  #cueOf(block: Block, startSec: number, listedSec: number | null): Cue | null {
    const { packing, decode, scaleNs } = this.#track;
    const payload = unpacked(block.payload, packing);
    if (payload === null) return null;
    const lastsSec = block.durationTicks === null ? (listedSec ?? 0) : (block.durationTicks * scaleNs) / 1e9;
    return decode({ payload, addition: block.addition, startSec, endSec: startSec + lastsSec });
  }
}

/** A cue whose end is not told counts where it begins. */
function isWithin({ startSec, endSec }: Cue, fromSec: number, toSec: number): boolean {
  return startSec < toSec && (endSec > startSec ? endSec > fromSec : startSec >= fromSec);
}

/** What is broken in the file is a block less. */
async function sound<T>(reading: Promise<T | null>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof IndexFault) return null;
    throw error;
  }
}
