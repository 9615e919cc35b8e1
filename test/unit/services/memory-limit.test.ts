import { describe, expect, test } from "bun:test";
import { memoryLimitBytes } from "../../../src/services/settings/memory-limit.ts";

const MACHINE = 8_000;

function limitWith(files: Readonly<Record<string, string>>): number {
  return memoryLimitBytes((path) => files[path] ?? null, MACHINE);
}

describe("the memory that this process may use", () => {
  test("is the machine's where no group limits it", () => {
    expect(limitWith({})).toBe(MACHINE);
    expect(limitWith({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n" })).toBe(MACHINE);
    const v1 = "/sys/fs/cgroup/memory/memory.limit_in_bytes";
    expect(limitWith({ "/proc/self/cgroup": "4:memory:/\n", [v1]: "9223372036854771712\n" })).toBe(MACHINE);
  });

  test("is the container's, in either version of control groups", () => {
    expect(limitWith({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "1000\n" })).toBe(1_000);
    // Without a namespace of its own a container sees the host's path, but its own folder.
    const groups = "12:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/docker/abc\n";
    const v1 = "/sys/fs/cgroup/memory/memory.limit_in_bytes";
    expect(limitWith({ "/proc/self/cgroup": groups, [v1]: "2000\n" })).toBe(2_000);
  });

  test("is the least of all groups above the process", () => {
    const files = {
      "/proc/self/cgroup": "0::/system.slice/torrx.service\n",
      "/sys/fs/cgroup/system.slice/memory.max": "3000\n",
      "/sys/fs/cgroup/system.slice/torrx.service/memory.max": "5000\n",
    };
    expect(limitWith(files)).toBe(3_000);
    expect(limitWith({ ...files, "/sys/fs/cgroup/system.slice/torrx.service/memory.max": "50\n" })).toBe(50);
  });

  test("is found on the machine that runs this", () => {
    expect(memoryLimitBytes()).toBeGreaterThan(2 ** 24);
  });
});
