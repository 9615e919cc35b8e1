// Time as a value that is handed in: the engine never reads a clock of its own, so that a simulation can run it.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds; the only time that time-outs and rates may use. */
  nowMs(): number;
  /** Wall-clock milliseconds since the epoch; only for what is shown, stored or signed. */
  wallMs(): number;
  /** Runs `task` once after `delayMs`. */
  after(delayMs: number, task: () => void): Timer;
  /** Runs `task` every `periodMs` until cancelled. */
  every(periodMs: number, task: () => void): Timer;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, task) {
    const handle = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, task) {
    const handle = setInterval(task, periodMs);
    return { cancel: () => clearInterval(handle) };
  },
};
