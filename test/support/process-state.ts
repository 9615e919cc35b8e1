// What the system says of a process that is not a child of the test.

import { existsSync, readFileSync } from "node:fs";
import { systemCodeOf } from "../../src/base/errors.ts";

/** Not a zombie either: one that nobody has reaped yet runs no more. */
export function isRunning(pid: number): boolean {
  return !["", "Z", "X"].includes(fieldsOf(pid)[0] ?? "");
}

export function isReaped(pid: number): boolean {
  return !existsSync(`/proc/${pid}`);
}

/** Those of /proc/PID/stat behind the name, the state first; none when there is no such process. */
export function fieldsOf(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT" || systemCodeOf(error) === "ESRCH") return [""];
    throw error;
  }
}
