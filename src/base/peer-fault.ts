// What a remote peer did wrong. A PeerFault ends that peer's connection and is counted; it never reaches a user
// as an error and never touches another peer (QUALITY A3).

export type PeerFaultReason =
  | "bad_handshake"
  | "handshake_timeout"
  | "frame_too_large"
  | "bad_frame"
  | "bad_bitfield"
  | "bad_index"
  | "request_flood"
  | "unsolicited_data"
  | "corrupt_data"
  | "send_queue_full"
  | "silent"
  | "self_connection"
  | "duplicate_connection"
  | "unknown_torrent";

export class PeerFault extends Error {
  readonly reason: PeerFaultReason;

  constructor(reason: PeerFaultReason, detail: string) {
    super(detail);
    this.name = "PeerFault";
    this.reason = reason;
  }
}
