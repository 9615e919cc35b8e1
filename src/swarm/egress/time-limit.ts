import type { Clock } from "../../base/clock.ts";
import { EgressError } from "./egress-error.ts";

export interface TimeLimit {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The caller's own wish to stop. */
  readonly signal: AbortSignal;
}

/**
 * Runs `task` until it settles, `timeoutMs` pass or `limit.signal` aborts, whichever is first; the task's own signal
 * aborts in the two latter cases. A task that ignores its signal is left behind, its late outcome dropped.
 * Throws EgressError timed_out or aborted.
 */
export async function withTimeLimit<T>(
  limit: TimeLimit,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const end = (error: EgressError) => {
    reject(error);
    controller.abort(error);
  };
  const onAbort = () => end(new EgressError("aborted", "stopped"));
  const timer = limit.clock.after(limit.timeoutMs, () =>
    end(new EgressError("timed_out", `no answer within ${Math.round(limit.timeoutMs / 1000)} s`)),
  );
  limit.signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (limit.signal.aborted) onAbort();
    return await Promise.race([cut, limit.signal.aborted ? cut : task(controller.signal)]);
  } finally {
    timer.cancel();
    limit.signal.removeEventListener("abort", onAbort);
  }
}
