// Cues of the text tracks of an MP4 file: the sample table tells where every line lies and how long it stays.

import { LIMITS } from "../../base/limits.ts";
import type { Box } from "../container/mp4-boxes.ts";
import { presentKeyframes, readEdits } from "../container/mp4-edits.ts";
import { readSampleTable } from "../container/mp4-samples.ts";
import type { Mp4Track } from "../container/mp4-tracks.ts";
import type { MediaSource } from "../ports.ts";
import type { Cue } from "./cue.ts";
import type { CueReader } from "./cue-reader.ts";
import { readWithin } from "./read-within.ts";
import { timedTextCue } from "./track-text.ts";

/** A length of zero: nothing is shown. */
const EMPTY_SAMPLE_BYTES = 2;
const READS_AT_ONCE = 8;

interface TextPlace {
  readonly startSec: number;
  readonly endSec: number;
  readonly positionBytes: number;
  readonly lengthBytes: number;
}

export class Mp4CuesReader implements CueReader {
  readonly #source: MediaSource;
  readonly #places: readonly TextPlace[];

  private constructor(source: MediaSource, places: readonly TextPlace[]) {
    this.#source = source;
    this.#places = places;
  }

  /** Null where the track is no timed text, or its samples lie in fragments. IndexFault where its tables are broken. */
  static of(source: MediaSource, track: Mp4Track, movieTimescale: number): Mp4CuesReader | null {
    if (track.codecId !== "tx3g" && track.codecId !== "text") return null;
    const places = placesOf(track, movieTimescale, source.lengthBytes);
    return places === null ? null : new Mp4CuesReader(source, places);
  }

  async read(fromSec: number, toSec: number, signal: AbortSignal): Promise<Cue[]> {
    const wanted = this.#places.filter(({ startSec, endSec }) => startSec < toSec && endSec > fromSec);
    const cues: Cue[] = [];
    for (let i = 0; i < wanted.length; i += READS_AT_ONCE) {
      const some = wanted.slice(i, i + READS_AT_ONCE).map((place) => this.#cueAt(place, signal));
      cues.push(...(await Promise.all(some)).filter((cue) => cue !== null));
    }
    return cues;
  }

  async #cueAt(place: TextPlace, signal: AbortSignal): Promise<Cue | null> {
    const { startSec, endSec, positionBytes: at, lengthBytes } = place;
    const payload = await readWithin(this.#source, { at, lengthBytes, signal });
    return timedTextCue({ payload, addition: null, startSec, endSec });
  }
}

function placesOf(track: Mp4Track, movieTimescale: number, fileLengthBytes: number): TextPlace[] | null {
  const stbl = track.trak.descendant("mdia", "minf", "stbl");
  const table = stbl === null ? null : readSampleTable(stbl, fileLengthBytes);
  const lengthOf = sampleLengths(stbl);
  if (table === null || lengthOf === null || track.timescale === 0) return null;
  const endTicks = (table.decodeTicks.at(-1) ?? 0) + lastDeltaTicks(stbl);
  const edits = readEdits(track.trak, { trackTimescale: track.timescale, movieTimescale });
  const places: TextPlace[] = [];
  presentKeyframes(table, edits, (ticks, sample) => {
    const lengthBytes = lengthOf(sample);
    if (lengthBytes <= EMPTY_SAMPLE_BYTES || lengthBytes > LIMITS.subtitles.sampleBytes) return;
    const nextTicks = table.decodeTicks[sample + 1] ?? endTicks;
    const startSec = ticks / track.timescale;
    const endSec = startSec + (nextTicks - (table.decodeTicks[sample] ?? 0)) / track.timescale;
    places.push({ startSec, endSec, positionBytes: table.positionsBytes[sample] ?? 0, lengthBytes });
  });
  return places.slice(0, LIMITS.subtitles.cues);
}

/** How long the last sample stays: nothing follows that would end it. */
function lastDeltaTicks(stbl: Box | null): number {
  const stts = stbl?.child("stts") ?? null;
  const entries = stts?.u32(4) ?? 0;
  return stts === null || entries === 0 ? 0 : stts.u32(8 + 8 * (entries - 1) + 4);
}

/** stsz alone: no writer packs the sizes of text. */
function sampleLengths(stbl: Box | null): ((sample: number) => number) | null {
  const stsz = stbl?.child("stsz") ?? null;
  if (stsz === null) return null;
  const sameBytes = stsz.u32(4);
  return (sample) => (sameBytes > 0 ? sameBytes : stsz.u32(12 + 4 * sample));
}
