// How much memory this process may use: what the machine has, or less where a control group (a container, a systemd
// unit) holds it to less. Every group above it limits it too.

import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { systemCodeOf } from "../../base/errors.ts";

/** The text of a file; null where there is none that can be read. */
export type ReadText = (path: string) => string | null;

const ROOT = "/sys/fs/cgroup";
const V1_ROOT = `${ROOT}/memory`;

export function memoryLimitBytes(
  readText: ReadText = readTextOrNull,
  machineBytes: number = totalmem(),
): number {
  const limits = limitFiles(readText("/proc/self/cgroup") ?? "").map((path) => limitIn(readText(path)));
  return Math.min(machineBytes, ...limits);
}

/** Of the groups that /proc/self/cgroup names, as seen from here: inside a container the paths may be the host's. */
function limitFiles(groups: string): string[] {
  const files: string[] = [];
  for (const line of groups.split("\n")) {
    const [, controllers = "", path = "/"] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === "" && line !== "") files.push(...upwards(ROOT, path, "memory.max"));
    if (controllers.split(",").includes("memory")) {
      files.push(...upwards(V1_ROOT, path, "memory.limit_in_bytes"));
    }
  }
  return files;
}

function upwards(root: string, group: string, name: string): string[] {
  const files = [join(root, name)];
  for (let path = group; path !== "/" && path !== "."; path = dirname(path)) {
    files.push(join(root, path, name));
  }
  return files;
}

/** "max" (v2) and a number near 2^63 (v1) say that there is none. */
function limitIn(text: string | null): number {
  const bytes = Number.parseInt(text ?? "", 10);
  return bytes > 0 ? bytes : Number.POSITIVE_INFINITY;
}

function readTextOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    return null;
  }
}
