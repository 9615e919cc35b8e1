// Event-loop lag of a real server process, told by a probe that is loaded into it.

import { join } from "node:path";
import type { Torrx } from "./torrx.ts";

/** Environment that loads the probe; give it to Torrx.start. */
export const WITH_LOOP_PROBE: Readonly<Record<string, string>> = {
  BUN_OPTIONS: `--preload=${join(import.meta.dir, "loop-probe.preload.ts")}`,
};

export interface LoopFigures {
  readonly samples: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly rssBytes: number;
}

export class LoopProbe {
  readonly #server: Torrx;
  #from: number;

  constructor(server: Torrx) {
    this.#server = server;
    this.#from = server.process.lines.length;
  }

  /** Forgets what was told so far. */
  restart(): void {
    this.#from = this.#server.process.lines.length;
  }

  /** What was told since the start, with the report that comes next. */
  async figures(): Promise<LoopFigures> {
    await this.#server.process.waitForNewLine('"probe"', 5_000);
    const lags: number[] = [];
    let rssBytes = 0;
    for (const line of this.#server.process.lines.slice(this.#from)) {
      if (!line.startsWith('{"probe"')) continue;
      const { probe } = JSON.parse(line) as { probe: { count: number; notable: number[]; rssBytes: number } };
      lags.push(...probe.notable, ...Array<number>(probe.count - probe.notable.length).fill(0));
      rssBytes = probe.rssBytes;
    }
    lags.sort((a, b) => a - b);
    const at = (share: number) => lags[Math.min(lags.length - 1, Math.floor(share * lags.length))] ?? 0;
    return { samples: lags.length, p99Ms: at(0.99), maxMs: at(1), rssBytes };
  }
}
