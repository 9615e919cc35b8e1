// The addresses under which ffmpeg and ffprobe read a file: our own byte path, over loopback. Each opens one file for
// one run and dies with it, connections included. What is read by it is read for the viewer who wanted the run, so that
// it belongs to that viewer's stream (PRODUCT §3.2): its window, its priority, its place among the limits.
// Invariant: a token opens nothing unless its input is open; one that leaked is of no use after its run.

import type { InfoHash } from "../../base/brand.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { LoopbackInput } from "../../media/ports.ts";
import type { LoopbackGrant } from "../access/ports.ts";
import { refusalOf, signToken, trySignedLoopback } from "../access/token.ts";

export interface InputPlace {
  readonly torrent: InfoHash;
  readonly file: number;
}

/** Who a program reads for. */
export interface ReadingViewer {
  readonly viewer: string;
  readonly clientAddress: string;
}

export interface LoopbackInputsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Scheme, host and port under which this machine reaches the front. */
  readonly origin: () => string;
}

/** Longer than a run is of use; a run that outlives it fails at its next request and is started anew. */
const TOKEN_LIFE_SEC = 6 * 3_600;
const KEY_BYTES = 32;
const ID_BYTES = 12;
/** Tokens of a process die with its key. */
const EPOCH = 0;

type OnRead = (fromBytes: number) => void;

class Grant implements LoopbackGrant {
  readonly place: InputPlace;
  readonly viewer: string;
  readonly clientAddress: string;
  readBytes = 0;
  readonly #onRead: OnRead;
  readonly #listeners = new Set<() => void>();

  constructor(place: InputPlace, { viewer, clientAddress }: ReadingViewer, onRead: OnRead) {
    this.place = place;
    this.viewer = viewer;
    this.clientAddress = clientAddress;
    this.#onRead = onRead;
  }

  reads(fromBytes: number): void {
    this.#onRead(fromBytes);
  }

  count(bytes: number): void {
    this.readBytes += bytes;
  }

  onEnd(listener: () => void): () => void {
    // Wrapped, so that the same function given twice is two listeners.
    const own = () => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  end(): void {
    for (const listener of [...this.#listeners]) listener();
    this.#listeners.clear();
  }
}

export class LoopbackInputs {
  readonly #options: LoopbackInputsOptions;
  readonly #key: Uint8Array;
  /** By the id of their tokens. */
  readonly #grants = new Map<string, Grant>();

  constructor(options: LoopbackInputsOptions) {
    this.#options = options;
    this.#key = options.random.bytes(KEY_BYTES);
  }

  /** `onRead` is told where each of its connections begins. */
  open(place: InputPlace, reader: ReadingViewer, onRead: OnRead = () => undefined): LoopbackInput {
    const { torrent, file } = place;
    const id = Buffer.from(this.#options.random.bytes(ID_BYTES)).toString("base64url");
    const grant = new Grant(place, reader, onRead);
    this.#grants.set(id, grant);
    const expSec = Math.ceil(this.#nowSec()) + TOKEN_LIFE_SEC;
    const token = signToken({ kind: "loopback", torrent, file, id }, expSec, {
      key: this.#key,
      epoch: EPOCH,
    });
    return {
      url: `${this.#options.origin()}/api/stream/${torrent}/${file}?mode=direct&token=${token}`,
      close: () => {
        this.#grants.delete(id);
        grant.end();
      },
    };
  }

  /** The leave behind the token, where it is open and for this very file. */
  admit(text: string, place: InputPlace): LoopbackGrant | null {
    const signed = trySignedLoopback(text, this.#key);
    if (signed === null || refusalOf(signed, { epoch: EPOCH, sec: this.#nowSec() }) !== null) return null;
    const { torrent, file, id } = signed.link;
    return torrent === place.torrent && file === place.file ? (this.#grants.get(id) ?? null) : null;
  }

  /** What the inputs that are open have read of a file: it grows while anything moves. */
  readBytesOf({ torrent, file }: InputPlace): number {
    let sum = 0;
    for (const { place, readBytes } of this.#grants.values()) {
      if (place.torrent === torrent && place.file === file) sum += readBytes;
    }
    return sum;
  }

  /** Ends them all. */
  close(): void {
    for (const grant of this.#grants.values()) grant.end();
    this.#grants.clear();
  }

  #nowSec(): number {
    return this.#options.clock.wallMs() / 1000;
  }
}
