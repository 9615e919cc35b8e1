// The door of the media services: createMedia wires them; everything else is types for the HTTP side.

export { CAPS_SCHEMA, QUALITIES, REASON_CODES, renditionName, tryRendition } from "../../media/index.ts";
export { createMedia, type MediaOptions, type OpenedMedia } from "./create-media.ts";
export type { DeliveryAsked } from "./delivery.ts";
export type { ListedSubtitle } from "./subtitle-list.ts";
export type {
  Asker,
  MasterChoice,
  MediaPart,
  MediaService,
  PlayInfo,
  SessionView,
  StreamPlayback,
  TracksView,
} from "./views.ts";
