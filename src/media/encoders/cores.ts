// Cores that this process may use: those that it may run on, or fewer where its container has a share of time.

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { systemCodeOf } from "../../base/errors.ts";

const CPU_MAX = "/sys/fs/cgroup/cpu.max";

export function usableCores(path = CPU_MAX): number {
  return coresOf(textOf(path), availableParallelism());
}

/** "200000 100000" is two cores, "max 100000" no limit (cgroup v2). */
export function coresOf(cpuMax: string | null, processors: number): number {
  const [, quota, period] = /^(\d+) (\d+)$/.exec(cpuMax?.trim() ?? "") ?? [];
  const share = Number(quota) / Number(period);
  return share > 0 ? Math.min(share, processors) : processors;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "EACCES") return null;
    throw error;
  }
}
