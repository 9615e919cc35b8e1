// Says so when an event loop stood still: nothing in this process may hold one for long (ARCHITECTURE §9).

import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";

const PERIOD_MS = 100;
const WARN_MS = 200;

/** `loop` is the thread's name in the line. */
export function watchLoop(clock: Clock, log: Log, loop: "http" | "engine"): Timer {
  let expectedMs = clock.nowMs() + PERIOD_MS;
  return clock.every(PERIOD_MS, () => {
    const lagMs = clock.nowMs() - expectedMs;
    expectedMs = clock.nowMs() + PERIOD_MS;
    if (lagMs > WARN_MS) log.warn("the event loop stood still", { loop, lag_ms: Math.round(lagMs) });
  });
}
