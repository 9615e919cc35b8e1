/** What a tracker answered wrong or refused. The message is shown to the user, so callers clean it first. */
export class TrackerError extends Error {
  /** refused: the tracker's own words are the message. bad_reply: its answer breaks the protocol. */
  readonly fault: "refused" | "bad_reply";

  constructor(fault: "refused" | "bad_reply", message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "TrackerError";
    this.fault = fault;
  }
}
