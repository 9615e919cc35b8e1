// Why a request of ours to a host that somebody named did not happen or did not succeed. Messages are plain, fit
// for a user's eyes, and carry neither a URL's secrets nor a byte of what the host answered.

export type EgressFault =
  | "bad_url"
  | "forbidden_address"
  | "name_not_found"
  | "connect_failed"
  | "bad_certificate"
  | "timed_out"
  | "aborted"
  | "too_large"
  | "bad_answer"
  | "bad_redirect";

export class EgressError extends Error {
  readonly fault: EgressFault;

  constructor(fault: EgressFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "EgressError";
    this.fault = fault;
  }
}
