// What every real client of the tests offers, and the little that they share.

import type { TestProcess } from "../process.ts";

export interface Actor {
  readonly host: string;
  /** The port on which it takes connections of peers. */
  readonly port: number;
  /** "host:port", as x.pe wants it. */
  readonly peer: string;
  readonly process: TestProcess;
  stop(): Promise<void>;
}

export interface PeerEnd {
  readonly host: string;
  readonly port: number;
}

/** Where a client's own limits are whole KiB/s. */
export function kibPerSec(bytesPerSec: number): number {
  return Math.max(1, Math.round(bytesPerSec / 1024));
}

/**
 * Asks a client again and again until it says what is waited for; only for clients that tell nothing by themselves.
 * `ask` gives null for "not yet"; what it throws counts as "not yet" too and is told when the time is over.
 */
export async function askUntil<T>(
  child: TestProcess,
  what: string,
  ask: () => Promise<T | null>,
  withinMs = 20_000,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  let last: unknown = null;
  while (performance.now() < endMs) {
    if (child.exitCode !== null) break;
    try {
      const answer = await ask();
      if (answer !== null) return answer;
    } catch (error) {
      last = error;
    }
    await Bun.sleep(50);
  }
  const state = child.exitCode === null ? `not in ${withinMs} ms` : `ended with ${child.exitCode}`;
  throw new Error(`${what}: ${state} (${String(last)})\n${child.tail()}`);
}
