// From chunks of a muxer's output to its init segment and the samples of its one track, in the order of decoding.

import { brokenMp4 } from "./box-cursor.ts";
import { BoxSplitter, type TopBox } from "./box-splitter.ts";
import { readFragment, type Sample } from "./fragment.ts";
import { type InitTrack, onlyTrack } from "./init-facts.ts";

export interface FragmentSink {
  /** Once, before any sample. `bytes` are ftyp and moov. */
  init(bytes: Uint8Array, track: InitTrack): void;
  sample(sample: Sample): void;
}

export class FragmentStream {
  readonly #sink: FragmentSink;
  readonly #splitter: BoxSplitter;
  #ftyp: Uint8Array = new Uint8Array(0);
  #track: InitTrack | null = null;
  #moof: Uint8Array | null = null;

  constructor(maxBoxBytes: number, sink: FragmentSink) {
    this.#sink = sink;
    this.#splitter = new BoxSplitter(maxBoxBytes, (box) => this.#take(box));
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
  }

  /** False when the stream ended within a box. */
  end(): boolean {
    return this.#splitter.end() && this.#moof === null;
  }

  #take(box: TopBox): void {
    if (box.type === "ftyp") this.#ftyp = box.bytes;
    else if (box.type === "moov") this.#takeInit(box.bytes);
    else if (box.type === "moof") this.#moof = box.bytes;
    else if (box.type === "mdat") this.#takeFragment(box.bytes);
  }

  #takeInit(moov: Uint8Array): void {
    if (this.#track !== null) throw brokenMp4("a second moov");
    const init = new Uint8Array(this.#ftyp.length + moov.length);
    init.set(this.#ftyp);
    init.set(moov, this.#ftyp.length);
    this.#track = onlyTrack(init);
    this.#sink.init(init, this.#track);
  }

  #takeFragment(mdat: Uint8Array): void {
    if (this.#track === null || this.#moof === null) throw brokenMp4("an mdat without its moof");
    const fragments = readFragment(this.#moof, mdat, [this.#track]);
    this.#moof = null;
    for (const { samples } of fragments) for (const sample of samples) this.#sink.sample(sample);
  }
}
