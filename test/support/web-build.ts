// The built page, for tests that serve or measure it: built as ./torrx does it, only where it is due.

import { resolve } from "node:path";
import { runProcess } from "./process.ts";

const ROOT = resolve(import.meta.dir, "../..");

/** The folder of the build. */
export const WEB_DIST = resolve(ROOT, "web/dist");

export async function buildWebIfDue(): Promise<void> {
  const child = await runProcess([process.execPath, "scripts/build.ts"], { cwd: ROOT, withinMs: 90_000 });
  if (child.exitCode !== 0) throw new Error(`the page does not build:\n${child.tail()}`);
}
