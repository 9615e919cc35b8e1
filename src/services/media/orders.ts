// What is to be made for a session: the track, its plan, and how the decision says that it is made. Sessions that ask for
// the same share it, so its name says all that its bytes depend on.

import { type RenditionId, renditionName, type SegmentPlan, segmentCountOf } from "../../media/index.ts";
import type { Film } from "./film.ts";
import type { RenditionOrder, RenditionWork } from "./ports.ts";
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

function workOf({ film, decision }: Chosen, { kind, track, quality }: RenditionId): RenditionWork | null {
  const { video, audio } = film.facts.probe;
  if (kind === "video") {
    const offer = decision.offers.find((one) => one.quality === quality);
    if (video === null || offer === undefined) return null;
    const { making, encoder } = offer;
    if (making.kind === "copy_video") return { track: video, making, encoder: null };
    return encoder === null ? null : { track: video, making, encoder };
  }
  const found = audio.find(({ index }) => index === track);
  const made = decision.audio.find(({ index }) => index === track);
  return found === undefined || made === undefined
    ? null
    : { track: found, making: made.making, encoder: null };
}

function nameOf({ file, segmentSec }: Film, id: RenditionId, { making, encoder }: RenditionWork): string {
  const how = Bun.hash(JSON.stringify([making, encoder])).toString(36);
  return `${file.torrent}/${file.file}/${renditionName(id)}-${id.quality}-${segmentSec}s-${how}`;
}
