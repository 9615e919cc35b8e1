// What is to be made for a session: the track, its plan, and how the decision says that it is made. Sessions that ask for
// the same share it, so its name says all that its bytes depend on.

import {
  type AudioMaking,
  type AudioTrack,
  type RenditionId,
  type RunWork,
  renditionName,
  type SegmentPlan,
  segmentCountOf,
  type VideoMaking,
  type VideoTrack,
} from "../../media/index.ts";
import type { Film } from "./film.ts";
import type { RenditionOrder } from "./ports.ts";
import type { PlaybackSession } from "./sessions.ts";

type Chosen = Pick<PlaybackSession, "film" | "decision">;

/** null where the film has no such track, or the session was not offered it in this quality. */
export function orderOf({ film, decision }: Chosen, id: RenditionId): RenditionOrder | null {
  const plan = film.planOf(id);
  const work = workOf({ film, decision }, id);
  if (plan === null || work === null || id.kind === "subtitle") return null;
  return { work, plan, kind: id.kind, name: nameOf(film, id, work) };
}

/** null for what is no number of a segment of the plan. */
export function trySegment(text: string, plan: SegmentPlan): number | null {
  const segment = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  return segment < segmentCountOf(plan) ? segment : null;
}

function workOf({ film, decision }: Chosen, { kind, track, quality }: RenditionId): RunWork | null {
  const { video, audio } = film.facts.probe;
  if (kind === "video") {
    const offer = decision.offers.find((one) => one.quality === quality);
    return video === null || offer === undefined ? null : videoWork(video, offer);
  }
  const found = audio.find(({ index }) => index === track);
  const made = decision.audio.find(({ index }) => index === track);
  return found === undefined || made === undefined ? null : audioWork(found, made);
}

function videoWork(track: VideoTrack, { making, encoder }: VideoMaking): RunWork | null {
  if (making.kind === "copy_video") return { kind: making.kind, track, making };
  return encoder === null ? null : { kind: making.kind, track, making, encoder };
}

function audioWork(track: AudioTrack, { making }: AudioMaking): RunWork {
  if (making.kind === "copy_audio") return { kind: making.kind, track, making };
  return { kind: making.kind, track, making };
}

function nameOf({ file, segmentSec }: Film, id: RenditionId, work: RunWork): string {
  const how = Bun.hash(JSON.stringify([work.making, "encoder" in work ? work.encoder : null])).toString(36);
  return `${file.torrent}/${file.file}/${renditionName(id)}-${id.quality}-${segmentSec}s-${how}`;
}
