// What of a torrent should run now, from what the user wants, what the queue allows and what is the case. Pure.

export interface PlanFacts {
  readonly isPaused: boolean;
  readonly isStreamed: boolean;
  readonly hasFault: boolean;
  readonly isRechecking: boolean;
  readonly hasMetadata: boolean;
  readonly isDataOpen: boolean;
  readonly hasSession: boolean;
  readonly isComplete: boolean;
  readonly hasReachedRatio: boolean;
  /** The queue lets it download. */
  readonly isActive: boolean;
}

export interface RunPlan {
  /** The store should be open. */
  readonly needsData: boolean;
  /** It should have peers. */
  readonly needsPeers: boolean;
}

export function planOf(facts: PlanFacts): RunPlan {
  const isWanted = facts.isStreamed || !facts.isPaused;
  return { needsData: isWanted && !facts.hasFault, needsPeers: isWanted && needsPeers(facts) };
}

function needsPeers(facts: PlanFacts): boolean {
  if (facts.isRechecking || facts.hasFault) return false;
  if (!facts.hasMetadata) return true;
  // The peers that gave the metadata are kept while the data is being opened.
  if (!facts.isDataOpen) return facts.hasSession;
  if (facts.isStreamed) return true;
  return facts.isComplete ? !facts.hasReachedRatio : facts.isActive;
}
