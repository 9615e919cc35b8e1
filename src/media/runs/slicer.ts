// What the slicers of video and of audio have in common: samples in, segments out.

import { TorrxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Sample } from "../fmp4/fragment.ts";
import type { SegmentSample } from "../fmp4/segment-writer.ts";

export interface SlicedSegment {
  readonly n: number;
  readonly samples: readonly SegmentSample[];
  /** Decoding time at which the last sample ends, in ticks. */
  readonly endDts: number;
}

export interface Slicer {
  /** The segment that comes out next. */
  readonly next: number;
  push(sample: Sample): void;
  /** The stream is over: gives what there is of the segment that had begun, null if nothing of it is there. */
  end(): SlicedSegment | null;
}

/** Throws where a segment would cost more memory than one may: by its bytes, or by the number of its samples. */
export function checkHeld(heldBytes: number, samples: number): void {
  const { segmentBytes, segmentSamples } = LIMITS.runs;
  if (heldBytes > segmentBytes) {
    throw new TorrxError("unsupported_media", `a segment of more than ${segmentBytes} bytes`);
  }
  if (samples > segmentSamples) {
    throw new TorrxError("unsupported_media", `a segment of more than ${segmentSamples} samples`);
  }
}

/** Why a run cannot give the segment that it was started for, though the program did its work. */
export class BadStart extends Error {
  /**
   * late: it began behind the segment's start, so something may be missing. open_gop: it began at a key frame that
   * pictures shown before it belong to, whose times are unsure in such a run.
   */
  constructor(readonly why: "late" | "open_gop") {
    super(`a run began badly: ${why}`);
  }
}
