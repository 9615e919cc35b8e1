import manifest from "../../package.json" with { type: "json" };
import { TorrxError } from "../base/errors.ts";

export const VERSION: string = manifest.version;

/** Older ones ignore back-pressure of streamed answers and lose disconnects. */
const BUN_MIN = "1.4.5";

/** Throws start_failed on a runtime that is too old. */
export function requireRuntime(version: string = Bun.version): void {
  if (Bun.semver.order(version, BUN_MIN) >= 0) return;
  throw new TorrxError(
    "start_failed",
    `Bun ${version} is too old, ${BUN_MIN} or newer is needed; ./torrx start brings it`,
  );
}
