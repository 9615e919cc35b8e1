// The door of media: what the services and the composition may use.

export { codecStringOf } from "./container/codec-string.ts";
export { readMediaIndex } from "./container/read-media-index.ts";
export { CAPS_SCHEMA, type ClientCaps, TYPES_TO_ASK } from "./decision/caps.ts";
export { type ClientFacts, clientCaps } from "./decision/client-caps.ts";
export { cuttingReasons } from "./decision/copying.ts";
export { type Decision, decide } from "./decision/decide.ts";
export { decideUnread } from "./decision/decide-unread.ts";
export type { DecisionInput } from "./decision/decision-input.ts";
export { deliveryOf } from "./decision/delivery.ts";
export type { Machine } from "./decision/machine.ts";
export type { VideoMaking } from "./decision/picture.ts";
export { REASON_CODES, type Reason, type ReasonCode } from "./decision/reasons.ts";
export type { AudioMaking } from "./decision/sound.ts";
export { usableCores } from "./encoders/cores.ts";
export { detectEncoders } from "./encoders/detect-encoders.ts";
export { EncoderChain } from "./encoders/encoder-chain.ts";
export type { EncoderFacts } from "./encoders/encoder-facts.ts";
export { listHardware } from "./encoders/hardware.ts";
export { type Bandwidth, bandwidthOf } from "./plan/bandwidth.ts";
export { byteRangeOf } from "./plan/byte-range.ts";
export { masterPlaylist, type VideoVariant } from "./plan/master-playlist.ts";
export { mediaPlaylist } from "./plan/media-playlist.ts";
export { type PlaylistPart, renditionName, tryRendition, type UriOf } from "./plan/playlist-part.ts";
export type { AudioRendition, SubtitleRendition } from "./plan/rendition-tags.ts";
export {
  durationOf,
  gridRateOf,
  planAudio,
  planLinear,
  planSubtitles,
  planVideo,
  segmentAt,
  segmentCountOf,
} from "./plan/segment-plan.ts";
export * from "./ports.ts";
export { probeFile } from "./probe/probe-file.ts";
export { withIndex } from "./probe/with-index.ts";
export { createMediaPrograms, type SupervisedPrograms } from "./process/media-programs.ts";
export { Rendition } from "./runs/rendition.ts";
export type { RunWork } from "./runs/run-job.ts";
export { encodesFor, RunLimits } from "./runs/run-limits.ts";
export { neededInSec } from "./segments/keeping.ts";
export { nodeSegmentDisk } from "./segments/node-segment-disk.ts";
export type { NeededIn, SegmentHandle } from "./segments/ports.ts";
export { openSegmentStore, SegmentStore } from "./segments/segment-store.ts";
export { SharedTask } from "./shared-task.ts";
export type { Cue } from "./subtitles/cue.ts";
export { type EmbeddedOptions, EmbeddedSubtitles } from "./subtitles/embedded.ts";
export { parseSubtitles } from "./subtitles/parse-subtitles.ts";
export { type ListedFile, type Sidecar, sidecarsOf } from "./subtitles/sidecar.ts";
export { vttOf } from "./subtitles/write-vtt.ts";
export { unlessAborted } from "./unless-aborted.ts";
