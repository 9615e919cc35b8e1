// Parts on their way to clients. A client that stops reading must not keep segments in memory, nor the store from letting
// them go: what it holds is a copy of the few bytes that its socket waits with, and its hold on the store is loosened
// again and again. What it comes back for is mostly still there; else its answer is cut, and it asks anew.

import type { Clock, Timer } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import type { SegmentHandle } from "../../media/index.ts";
import type { RenditionOrder } from "./ports.ts";
import type { MediaPart } from "./views.ts";

/** A client that reads takes a segment in less; the store may let go of one that is held no longer. */
const HOLD_MS = 5_000;

export interface StoredPartsOptions {
  /** Of a key of the store; null where it is gone. */
  readonly open: (key: string) => Promise<SegmentHandle | null>;
  readonly clock: Clock;
}

export class StoredParts {
  readonly #options: StoredPartsOptions;

  constructor(options: StoredPartsOptions) {
    this.#options = options;
  }

  /** `bytes` are what it was made of just now; they are kept only where the store has not taken them. */
  async part({ kind, name }: RenditionOrder, part: number | "init", bytes: Uint8Array): Promise<MediaPart> {
    const key = `${name}/${part}`;
    const handle = await this.#options.open(key);
    return handle === null ? ownPart(kind, bytes) : new StoredPart({ ...this.#options, kind, key, handle });
  }
}

/** Of bytes that nobody else keeps. */
export function ownPart(kind: MediaPart["kind"], bytes: Uint8Array): MediaPart {
  return {
    kind,
    lengthBytes: bytes.length,
    read: (atBytes, lengthBytes) => Promise.resolve(bytes.slice(atBytes, atBytes + lengthBytes)),
    release: () => undefined,
  };
}

interface StoredPartOptions extends StoredPartsOptions {
  readonly kind: MediaPart["kind"];
  readonly key: string;
  readonly handle: SegmentHandle;
}

class StoredPart implements MediaPart {
  readonly kind: MediaPart["kind"];
  readonly lengthBytes: number;
  readonly #options: StoredPartOptions;
  #handle: SegmentHandle | null;
  #holding: Timer;
  #isReading = false;
  #isReleased = false;

  constructor(options: StoredPartOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.#handle = options.handle;
    this.lengthBytes = options.handle.lengthBytes;
    this.#holding = this.#hold();
  }

  async read(atBytes: number, lengthBytes: number): Promise<Uint8Array> {
    this.#isReading = true;
    try {
      const handle = this.#handle ?? (await this.#open());
      const bytes = await handle.read(atBytes, lengthBytes);
      // Of a view the socket would keep all that it is a view of.
      return handle.bytes === null ? bytes : bytes.slice();
    } finally {
      this.#isReading = false;
      if (this.#isReleased) this.#letGo();
    }
  }

  release(): void {
    this.#isReleased = true;
    // A file must not be closed under a read.
    if (!this.#isReading) this.#letGo();
  }

  #hold(): Timer {
    return this.#options.clock.after(HOLD_MS, () => {
      if (this.#isReading) this.#holding = this.#hold();
      else this.#letGo();
    });
  }

  async #open(): Promise<SegmentHandle> {
    const { open, key } = this.#options;
    const handle = await open(key);
    const isSame = handle?.lengthBytes === this.lengthBytes;
    if (handle === null || !isSame) {
      handle?.release();
      throw new TorrxError("busy", "this part has to be made again");
    }
    this.#handle = handle;
    this.#holding = this.#hold();
    return handle;
  }

  #letGo(): void {
    this.#holding.cancel();
    this.#handle?.release();
    this.#handle = null;
  }
}
