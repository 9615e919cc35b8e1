import type { LocalIdentity } from "../wire/index.ts";
import type { Shared } from "./shared.ts";
import type { SessionFacts } from "./swarm-session.ts";
import type { Torrent } from "./torrent.ts";

/** What peers of this torrent are told of us. */
export function identityOf(torrent: Torrent, shared: Shared): LocalIdentity {
  return {
    infoHash: torrent.id,
    peerId: shared.peerId,
    hasDht: shared.dht !== null && torrent.info?.isPrivate !== true,
    listenPort: shared.listenPort,
    metadataBytes: torrent.info?.infoBytes.length ?? null,
    extensions: ["ut_metadata"],
    clientName: shared.deps.options.clientName,
  };
}

/** The torrent as its swarm session sees it. */
export function sessionFactsOf(torrent: Torrent, shared: Shared): SessionFacts {
  return {
    identity: () => identityOf(torrent, shared),
    isPrivate: () => torrent.info?.isPrivate ?? false,
    isComplete: () => torrent.isComplete && !isStreamedFileMissing(torrent),
    isStreamed: () => torrent.isStreamed,
    leftBytes: () => {
      const { progress } = torrent;
      // A magnet does not know its size yet; 1 says "not complete" to a tracker.
      return progress === null ? 1 : progress.selectedBytes - progress.haveBytes;
    },
    traffic: () => torrent.traffic.totals,
  };
}

/** A stream may want a file that is not selected. */
function isStreamedFileMissing(torrent: Torrent): boolean {
  const { data } = torrent;
  if (data === null) return false;
  for (const index of torrent.streamedFiles) {
    if ((data.fileBytes[index] ?? 0) < (data.geometry.files[index]?.lengthBytes ?? 0)) return true;
  }
  return false;
}
