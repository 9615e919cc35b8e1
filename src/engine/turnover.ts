// Which peers give up their place when a torrent is full and others wait to be dialled: a swarm's list is long and most
// of it is of no use, so that places kept by whoever came first would starve the torrent. Pure.

/** BEP 3 puts the bitfield right behind the handshake: who has something for us has said so by then. */
const SAY_SOMETHING_MS = 5_000;
/** It has what we want, but not a block has moved: it chokes us for good. */
const MOVE_SOMETHING_MS = 60_000;
/** Of the second kind, in one round. */
const BARREN_PER_ROUND = 2;

export interface PeerUse {
  readonly isReady: boolean;
  readonly connectedAtMs: number;
  /** It has something that we want. */
  readonly isWanted: boolean;
  /** It wants something that we have. */
  readonly isInterested: boolean;
  readonly movedBytes: number;
}

/** The peers to part with, at most `waiting` of them, the longest connected first. */
export function chooseLeavers<T extends PeerUse>(
  peers: readonly T[],
  { nowMs, waiting }: { nowMs: number; waiting: number },
): readonly T[] {
  const byAge = peers
    .filter((peer) => peer.isReady && peer.movedBytes === 0)
    .sort((a, b) => a.connectedAtMs - b.connectedAtMs);
  const isOlder = (peer: T, ageMs: number) => nowMs - peer.connectedAtMs >= ageMs;
  const useless = byAge.filter(
    (peer) => !peer.isWanted && !peer.isInterested && isOlder(peer, SAY_SOMETHING_MS),
  );
  const barren = byAge.filter((peer) => peer.isWanted && isOlder(peer, MOVE_SOMETHING_MS));
  return [...useless, ...barren.slice(0, BARREN_PER_ROUND)].slice(0, waiting);
}
