// Who may download from us next round (ENGINE §3). Pure: everything it knows comes in. Fixed slots, some of them
// optimistic: these rotate whatever a peer gave, so that newcomers get a chance to show what they give back.

export interface ChokeCandidate {
  readonly peer: number;
  readonly isInterested: boolean;
  /** Payload that this peer has sent us since the connection began. */
  readonly receivedBytes: number;
  /** Payload that we have sent this peer since the connection began. */
  readonly sentBytes: number;
}

/** What is remembered of a peer between rounds. */
export interface PeerChokeState {
  /** The candidate's totals at the last round. */
  readonly receivedAtRoundBytes: number;
  readonly sentAtRoundBytes: number;
  /** null while choked. */
  readonly unchokedAtMs: number | null;
  readonly sentAtUnchokeBytes: number;
  /** Since when it waits for a slot, or waited before it got its slot. */
  readonly waitingSinceMs: number;
}

export interface ChokeState {
  readonly peers: ReadonlyMap<number, PeerChokeState>;
  /** Peer → when it got its optimistic slot. */
  readonly optimistic: ReadonlyMap<number, number>;
}

export interface ChokeOptions {
  readonly nowMs: number;
  /** True: nothing is left to get, slots go round; false: those get slots who gave most last round. */
  readonly isSeeding: boolean;
  readonly slots: number;
  /** Part of `slots`. */
  readonly optimisticSlots: number;
  readonly optimisticMs: number;
  /** Seeding: who got more than this, and had its slot for `quotaMs`, goes to the end of the line. */
  readonly quotaBytes: number;
  readonly quotaMs: number;
}

export interface ChokeChoice {
  readonly unchoked: ReadonlySet<number>;
  /** Those of `unchoked` that have an optimistic slot, and since when. */
  readonly optimistic: ReadonlyMap<number, number>;
}

interface Ranked {
  readonly peer: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly hasHadEnough: boolean;
  readonly isUnchoked: boolean;
  readonly waitingSinceMs: number;
}

/** The peers to have unchoked from here on; never more than `slots`, and only interested ones. */
export function chooseUnchoked(
  peers: readonly ChokeCandidate[],
  state: ChokeState,
  options: ChokeOptions,
): ChokeChoice {
  const ranked = peers
    .filter((peer) => peer.isInterested)
    .map((peer) => rankedOf(peer, state, options))
    .sort(options.isSeeding ? bySeedersTurn : byReciprocation);
  const earnedCount = Math.max(0, options.slots - options.optimisticSlots);
  const unchoked = new Set(ranked.slice(0, earnedCount).map(({ peer }) => peer));
  const optimistic = chooseOptimistic(ranked.slice(earnedCount), state, options);
  for (const peer of optimistic.keys()) unchoked.add(peer);
  return { unchoked, optimistic };
}

/** Holders stay until their time is over; then those that have waited longest follow. */
function chooseOptimistic(
  rest: readonly Ranked[],
  state: ChokeState,
  options: ChokeOptions,
): ReadonlyMap<number, number> {
  const chosen = new Map<number, number>();
  const slots = Math.min(options.optimisticSlots, options.slots);
  const sinceOf = ({ peer }: Ranked) => state.optimistic.get(peer);
  for (const candidate of rest) {
    const since = sinceOf(candidate);
    if (since !== undefined && options.nowMs - since < options.optimisticMs && chosen.size < slots) {
      chosen.set(candidate.peer, since);
    }
  }
  // Former holders queue behind those who never had the slot, whatever their waiting time says.
  const line = rest
    .filter(({ peer }) => !chosen.has(peer))
    .sort((a, b) => Number(sinceOf(a) !== undefined) - Number(sinceOf(b) !== undefined) || byWaiting(a, b));
  for (const { peer } of line) {
    if (chosen.size >= slots) break;
    chosen.set(peer, options.nowMs);
  }
  return chosen;
}

function rankedOf(candidate: ChokeCandidate, state: ChokeState, options: ChokeOptions): Ranked {
  const known = state.peers.get(candidate.peer);
  const unchokedAtMs = known?.unchokedAtMs ?? null;
  return {
    peer: candidate.peer,
    receivedBytes: candidate.receivedBytes - (known?.receivedAtRoundBytes ?? 0),
    sentBytes: candidate.sentBytes - (known?.sentAtRoundBytes ?? 0),
    isUnchoked: unchokedAtMs !== null,
    hasHadEnough:
      known !== undefined &&
      unchokedAtMs !== null &&
      candidate.sentBytes - known.sentAtUnchokeBytes > options.quotaBytes &&
      options.nowMs - unchokedAtMs > options.quotaMs,
    waitingSinceMs: known?.waitingSinceMs ?? options.nowMs,
  };
}

function byReciprocation(a: Ranked, b: Ranked): number {
  return b.receivedBytes - a.receivedBytes || Number(b.isUnchoked) - Number(a.isUnchoked) || byWaiting(a, b);
}

function bySeedersTurn(a: Ranked, b: Ranked): number {
  return Number(a.hasHadEnough) - Number(b.hasHadEnough) || b.sentBytes - a.sentBytes || byWaiting(a, b);
}

function byWaiting(a: Ranked, b: Ranked): number {
  return a.waitingSinceMs - b.waitingSinceMs || a.peer - b.peer;
}
