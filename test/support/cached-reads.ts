// What the page cache may have of a file: everything, nothing, or what a test says.

import { readSync } from "node:fs";
import type { CachedRead } from "../../src/front/index.ts";

const EAGAIN = 11;

export const readWarm: CachedRead = (fd, target, atBytes) => readSync(fd, target, 0, target.length, atBytes);

export const readCold: CachedRead = () => -EAGAIN;

/** The bytes before `untilBytes` of every file are there. */
export function readWarmUntil(untilBytes: number): CachedRead {
  return (fd, target, atBytes) =>
    atBytes < untilBytes ? readWarm(fd, target.subarray(0, untilBytes - atBytes), atBytes) : -EAGAIN;
}
