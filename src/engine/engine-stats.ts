// Figures of torrents and streams as the port tells them, and which torrents have something new to tell.

import type { InfoHash } from "../base/brand.ts";
import type { Clock } from "../base/clock.ts";
import type { StreamState } from "../stream/demand/index.ts";
import type { EngineTotals, StreamRow, TorrentStats, TorrentStatus, Wait } from "./port.ts";
import type { Shared } from "./shared.ts";
import type { Torrent } from "./torrent.ts";
import { connectedPeers, isWaitable, statsOf, statusOf, waitFactsOf } from "./torrent-stats.ts";
import { type WaitFacts, WaitTracker } from "./wait-reason.ts";

type Find = (id: InfoHash) => Torrent | undefined;

/** A stream with less than this ahead of its playhead holds the background back. */
const HUNGRY_SEC = 5;

export class EngineStats {
  readonly #clock: Clock;
  readonly #shared: Shared;
  readonly #toldStatus = new WeakMap<Torrent, TorrentStatus>();
  readonly #torrentWaits = new WeakMap<Torrent, WaitTracker>();
  readonly #streamWaits = new Map<number, WaitTracker>();
  readonly #lastPeers = new WeakMap<Torrent, number>();

  constructor(clock: Clock, shared: Shared) {
    this.#clock = clock;
    this.#shared = shared;
  }

  of(torrent: Torrent): TorrentStats {
    const nowMs = this.#clock.nowMs();
    this.#toldStatus.set(torrent, statusOf(torrent));
    return statsOf(torrent, nowMs, this.#waitOf(torrent, nowMs));
  }

  /** Whether its status is another than the one that was told last: worth telling before the next second. */
  hasNewStatus(torrent: Torrent): boolean {
    return statusOf(torrent) !== this.#toldStatus.get(torrent);
  }

  /** Whether the torrent has changed since it was last told, or its speeds still fall. */
  isDue(torrent: Torrent): boolean {
    const nowMs = this.#clock.nowMs();
    const peers = connectedPeers(torrent);
    const hasNewPeers = peers !== this.#lastPeers.get(torrent);
    this.#lastPeers.set(torrent, peers);
    const isMoving = torrent.traffic.down.rate(nowMs) > 0 || torrent.traffic.up.rate(nowMs) > 0;
    return torrent.isDirty || hasNewPeers || isMoving || isWaitable(torrent, nowMs);
  }

  streamRows(find: Find): StreamRow[] {
    const rows: StreamRow[] = [];
    const seen = new Set<number>();
    for (const stream of this.#shared.streams.streams()) {
      const torrent = find(stream.torrent);
      if (torrent === undefined) continue;
      seen.add(stream.id);
      rows.push(this.#rowOf(stream, torrent));
    }
    for (const id of this.#streamWaits.keys()) if (!seen.has(id)) this.#streamWaits.delete(id);
    return rows;
  }

  totals(torrents: readonly Torrent[], listenPort: number | null): EngineTotals {
    const nowMs = this.#clock.nowMs();
    const sum = (of: (torrent: Torrent) => number) =>
      torrents.reduce((total, torrent) => total + of(torrent), 0);
    return {
      downloadSpeed: Math.round(sum((torrent) => torrent.traffic.down.rate(nowMs))),
      uploadSpeed: Math.round(sum((torrent) => torrent.traffic.up.rate(nowMs))),
      peers: sum(connectedPeers),
      listenPort,
      dhtNodes: this.#shared.dht?.nodeCount ?? null,
    };
  }

  isAnyStreamHungry(find: Find): boolean {
    return this.#shared.streams.streams().some((stream) => {
      const torrent = find(stream.torrent);
      return torrent !== undefined && stream.readers > 0 && this.#isHungry(stream, torrent);
    });
  }

  #isHungry(stream: StreamState, torrent: Torrent): boolean {
    const untilBytes = this.#verifiedUntil(stream, torrent);
    const restBytes = fileLength(stream, torrent) - untilBytes;
    return restBytes > 0 && untilBytes - stream.positionBytes < HUNGRY_SEC * stream.bytesPerSec;
  }

  #verifiedUntil(stream: StreamState, torrent: Torrent): number {
    const file = torrent.data?.geometry.files[stream.file];
    if (file === undefined || torrent.data === null || stream.positionBytes >= file.lengthBytes) {
      return stream.positionBytes;
    }
    return torrent.data.streams.verifiedUntil(file, stream.positionBytes);
  }

  #rowOf(stream: StreamState, torrent: Torrent): StreamRow {
    return {
      id: stream.id,
      torrent: stream.torrent,
      file: stream.file,
      viewer: stream.viewer,
      clientAddress: stream.clientAddress,
      positionBytes: stream.positionBytes,
      aheadBytes: this.#verifiedUntil(stream, torrent) - stream.positionBytes,
      readers: stream.readers,
      bytesPerSec: stream.bytesPerSec,
      startedAtMs: stream.startedAtMs,
      wait: this.#streamWaitOf(stream, torrent),
    };
  }

  #waitOf(torrent: Torrent, nowMs: number): Wait | null {
    let tracker = this.#torrentWaits.get(torrent);
    if (tracker === undefined) {
      tracker = new WaitTracker();
      this.#torrentWaits.set(torrent, tracker);
    }
    if (!isWaitable(torrent, nowMs)) return tracker.clear();
    return tracker.update(waitFactsOf(torrent, nowMs, null), this.#clock.wallMs());
  }

  #streamWaitOf(stream: StreamState, torrent: Torrent): Wait | null {
    const nowMs = this.#clock.nowMs();
    const tracker = this.#streamWaits.get(stream.id) ?? new WaitTracker();
    this.#streamWaits.set(stream.id, tracker);
    const isWaiting = this.#verifiedUntil(stream, torrent) === stream.positionBytes && stream.readers > 0;
    if (!isWaiting || stream.positionBytes >= fileLength(stream, torrent)) return tracker.clear();
    return tracker.update(waitFactsOf(torrent, nowMs, streamFactsOf(stream, torrent)), this.#clock.wallMs());
  }
}

function fileLength(stream: StreamState, torrent: Torrent): number {
  return torrent.data?.geometry.files[stream.file]?.lengthBytes ?? 0;
}

function streamFactsOf(stream: StreamState, torrent: Torrent): WaitFacts["stream"] {
  const { data, session } = torrent;
  const file = data?.geometry.files[stream.file];
  if (data === null || file === undefined) return null;
  const piece = data.geometry.pieceAt(file.offsetBytes + stream.positionBytes);
  const { streams } = data;
  const isHadBefore =
    stream.positionBytes > 0 &&
    streams.verifiedUntil(file, stream.positionBytes - 1) > stream.positionBytes - 1;
  return {
    isReadingIndex: stream.positionBytes === 0,
    hasSeeked: !isHadBefore,
    isNextPieceAvailable: (session?.transfer?.scheduler.availabilityOf(piece) ?? 0) > 0,
    haveBytes: 0,
    needBytes: data.geometry.pieceLength(piece),
  };
}
