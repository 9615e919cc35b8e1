// Large files for torrents, quickly: every 16 KiB block differs from its neighbours, every MiB from every other.

import { randomFillSync } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { tmpFolder } from "./tmp.ts";

const MIB = 1024 * 1024;

/** The path of a new file in a folder of its own. */
export function randomFile(lengthBytes: number, name = "film.mkv"): string {
  const path = join(tmpFolder("random"), name);
  const chunk = randomFillSync(Buffer.alloc(MIB));
  const file = openSync(path, "w");
  for (let at = 0; at < lengthBytes; at += MIB) {
    randomFillSync(chunk, 0, 1024);
    writeSync(file, chunk, 0, Math.min(MIB, lengthBytes - at));
  }
  closeSync(file);
  return path;
}
