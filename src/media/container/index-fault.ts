import type { NoIndexReason } from "../ports.ts";

/**
 * Why a container's index cannot be had, thrown from wherever that shows; read-media-index.ts turns it into the answer
 * and nothing else sees it.
 */
export class IndexFault extends Error {
  readonly reason: NoIndexReason;

  constructor(reason: NoIndexReason) {
    super(`no index: ${reason}`);
    this.name = "IndexFault";
    this.reason = reason;
  }
}

/** What the file's own bytes say cannot be. */
export function broken(): IndexFault {
  return new IndexFault("broken");
}
