// The end of a server: whatever is open is closed, in its order, however the closing of the rest goes.

import type { NativeThread } from "../../native/index.ts";
import type { TorrxDatabase } from "../db/index.ts";
import type { Front } from "../front/index.ts";
import type { Services } from "../services/index.ts";
import type { StreamWindows } from "../stream/reader/index.ts";
import type { EngineThread } from "./engine-thread.ts";

const FRONT_GRACE_MS = 1_000;

export type Step = () => Promise<void> | void;

/** Each after the one before has settled, whichever of them fail. Returns their failures. */
export async function inOrder(steps: readonly Step[]): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

export interface RunningParts {
  readonly front: Pick<Front, "close">;
  readonly engine: Pick<EngineThread, "stop">;
  readonly windows: Pick<StreamWindows, "close">;
  readonly native: Pick<NativeThread, "close">;
  readonly services: Pick<Services, "endPlayback" | "stop">;
  readonly database: Pick<TorrxDatabase, "close">;
  readonly closeEvents: () => void;
}

/** Rejects the first failure when all is closed. */
export async function stopInOrder(parts: RunningParts): Promise<void> {
  const { front, engine, windows, native, services, database, closeEvents } = parts;
  const failures = await inOrder([closeEvents]);
  const users = await Promise.all([
    // Programs read through the front: they go first, and with them whoever waits for what they make.
    inOrder([() => services.endPlayback(), () => front.close(FRONT_GRACE_MS)]),
    inOrder([() => engine.stop()]),
  ]);
  // All of these have ended before what they stand on is taken away.
  const rest = [() => windows.close(), () => native.close(), () => services.stop(), () => database.close()];
  failures.push(...users.flat(), ...(await inOrder(rest)));
  if (failures.length > 0) throw failures[0];
}
