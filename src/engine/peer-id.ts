import type { Random } from "../base/random.ts";

/** Azureus-style id (BEP 20): "-TX0100-" and twelve random characters. */
export function createPeerId(random: Random): Uint8Array {
  const id = new Uint8Array(20);
  id.set(new TextEncoder().encode("-TX0100-"));
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (let i = 8; i < id.length; i++) id[i] = alphabet.charCodeAt(random.below(alphabet.length));
  return id;
}

const CLIENT_NAMES: Readonly<Record<string, string>> = {
  TX: "TorrX",
  TR: "Transmission",
  qB: "qBittorrent",
  LT: "libtorrent",
  lt: "rTorrent",
  DE: "Deluge",
  UT: "µTorrent",
  WW: "WebTorrent",
  A2: "aria2",
};

/** A readable client name from an Azureus-style id, or null. */
export function clientNameOf(peerId: Uint8Array): string | null {
  const text = Buffer.from(peerId.subarray(0, 8)).toString("latin1");
  const match = /^-([A-Za-z0-9]{2})([0-9A-Za-z]{4})-$/.exec(text);
  if (match === null) return null;
  const [, code = "", version = ""] = match;
  return `${CLIENT_NAMES[code] ?? code} ${[...version].join(".")}`;
}
