// The private network of tests: a namespace with loopback alone, which also answers on 10.77.0.0/24 because
// transmission refuses peers on 127/8. test/run.ts makes one for every group; tests that run real clients must see to
// it that they are in one (describeIsolated), so that nothing can reach a public host.

import { describe } from "bun:test";
import { spawnSync } from "node:child_process";
import { networkInterfaces } from "node:os";

/** An address that real clients accept as a peer's. Any other of 10.77.0.0/24 can be bound as well. */
export const PRIVATE_ADDRESS = "10.77.0.1";
const PRIVATE_NET = "10.77.0.";

/** The shell command that turns a fresh namespace into the private network. */
export const NETWORK_UP = `ip link set lo up && ip addr replace ${PRIVATE_ADDRESS}/24 dev lo`;

function addresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((entry) => entry.address));
}

const isOurs = (address: string) =>
  address.startsWith("127.") || address === "::1" || address.startsWith(PRIVATE_NET);

/** True when no address of this network leads anywhere else; the private address is then set up if it was not. */
export function isIsolated(): boolean {
  const present = addresses();
  if (!present.every(isOurs)) return false;
  if (present.includes(PRIVATE_ADDRESS)) return true;
  return spawnSync("sh", ["-c", NETWORK_UP], { env: { ...process.env, PATH: systemPath() } }).status === 0;
}

/** PATH with the folders of system tools, which a user's PATH may lack. */
export function systemPath(): string {
  return `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
}

export function hasProgram(name: string): boolean {
  return Bun.which(name, { PATH: systemPath() }) !== null;
}

/** `describe` for tests that need the private network; skipped (and counted as such) outside of one. */
export const describeIsolated: typeof describe = isIsolated() ? describe : (describe.skip as typeof describe);
