// What somebody took of late, old takes fading: tells the reader that plays from those that once did.

const FADE_MS = 10_000;

export class RecentBytes {
  #bytes = 0;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  add(bytes: number, nowMs: number): void {
    this.#bytes = this.at(nowMs) + bytes;
    this.#atMs = nowMs;
  }

  at(nowMs: number): number {
    return this.#bytes * Math.exp((this.#atMs - nowMs) / FADE_MS);
  }
}
