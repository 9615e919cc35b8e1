// What a process costs, as the kernel tells it, and how benchmarks sum up their rounds.

import { readFileSync } from "node:fs";

const TICKS_PER_SEC = 100;
const SAMPLE_EVERY_MS = 100;

/** User and system seconds of a process with all its threads, ended ones too. */
export function cpuSecOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC;
}

/** Memory that no file stands behind. */
export const rssAnonMib = (pid: number) => statusMib(pid, "RssAnon");
/** All that is resident, files included. */
export const rssMib = (pid: number) => statusMib(pid, "VmRSS");

function statusMib(pid: number, field: string): number {
  const text = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0) / 1024;
}

/** Looks at a process ten times a second, from its making to `stop`. */
export class MemoryWatch {
  readonly #look: () => void;
  readonly #timer: Timer;
  #peakMib = 0;

  constructor(pid: number, measure: (pid: number) => number = rssAnonMib) {
    this.#look = () => {
      this.#peakMib = Math.max(this.#peakMib, measure(pid));
    };
    this.#timer = setInterval(this.#look, SAMPLE_EVERY_MS);
    this.#look();
  }

  get peakMib(): number {
    return this.#peakMib;
  }

  /** The process must still run. */
  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }
}

/** The upper one of an even number. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** "512 (498–530)" */
export function medianAndRange(values: readonly number[], digits: number): string {
  const range = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits)).join("–");
  return `${median(values).toFixed(digits)} (${range})`;
}
