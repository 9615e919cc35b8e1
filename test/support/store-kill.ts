// What a process that is killed while it writes and the test that looks afterwards have in common.

import type { ResumeState } from "../../src/store/index.ts";
import { type MadeTorrent, makeTorrent } from "./store-torrent.ts";

const KIB = 1024;

/** 24 MiB in several files that meet inside pieces. */
export function killedTorrent(): MadeTorrent {
  return makeTorrent({
    pieceLengthBytes: 128 * KIB,
    seed: 5,
    files: [
      { path: "a.bin", lengthBytes: 10_000 * KIB + 7 },
      { path: "in/b.bin", lengthBytes: 333 },
      { path: "in/c.bin", lengthBytes: 14_000 * KIB },
    ],
  });
}

export function recordOf(state: ResumeState): string {
  return JSON.stringify({ ...state, verified: Buffer.from(state.verified).toString("base64") });
}

export function stateOf(record: string): ResumeState {
  const { verified, ...rest } = JSON.parse(record) as Omit<ResumeState, "verified"> & { verified: string };
  return { ...rest, verified: new Uint8Array(Buffer.from(verified, "base64")) };
}
