import { tryInfoHash } from "../../src/base/brand.ts";
import type { AnnounceFacts } from "../../src/swarm/ports.ts";

const infoHash = tryInfoHash("00ff20257e414243444546474849505152535455");
if (infoHash === null) throw new Error("no info hash");

export const someFacts: AnnounceFacts = {
  infoHash,
  peerId: Buffer.from("-TX0100-abcdefghijkl"),
  port: 51414,
  uploadedBytes: 1,
  downloadedBytes: 2,
  leftBytes: 3,
};
