// One endpoint, two ways (PRODUCT §3.4): whether a request for a file gets its bytes, or a playlist that plays while the
// file is still on its way.

import type { InfoHash } from "../../base/brand.ts";
import { TorrxError } from "../../base/errors.ts";
import { isPlayable } from "../../metainfo/index.ts";
import type { StreamTarget } from "../ports.ts";

export interface DeliveryAsked {
  readonly torrent: InfoHash;
  readonly file: number;
  /** ?mode= */
  readonly mode: string | null;
  readonly userAgent: string | null;
  readonly accept: string | null;
}

export interface DeliveryParts {
  /** Throws not_found, not_ready. */
  readonly resolve: (torrent: InfoHash, file: number) => StreamTarget;
  /** Whether the client reads containers itself, or takes no playlist. */
  readonly wantsBytes: (client: Pick<DeliveryAsked, "userAgent" | "accept">) => boolean;
}

/** Throws validation, and what `resolve` throws. */
export function chooseDelivery(asked: DeliveryAsked, parts: DeliveryParts): "bytes" | "hls" {
  const mode = asked.mode ?? "auto";
  if (mode !== "auto" && mode !== "direct" && mode !== "hls") {
    throw new TorrxError("validation", "mode must be auto, direct or hls");
  }
  if (mode === "direct") return "bytes";
  const { name, isComplete } = parts.resolve(asked.torrent, asked.file);
  if (!isPlayable(name)) return "bytes";
  if (mode === "hls") return "hls";
  return isComplete || parts.wantsBytes(asked) ? "bytes" : "hls";
}
