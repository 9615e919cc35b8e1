// The caps that decisions are made with: what the player told, set right where its kind is known to tell what is not so.

import {
  type ClientCaps,
  type HighRange,
  type Platform,
  parseCaps,
  type ToldCaps,
  type TypeAnswer,
} from "./caps.ts";
import { readsContainers } from "./players.ts";
import { capsOfUserAgent, highRangesOf, platformOf } from "./user-agents.ts";

export interface ClientFacts {
  /** `caps` of the session request; undefined or null where there is none. */
  readonly told?: unknown;
  readonly userAgent: string | null;
  readonly accept: string | null;
}

const yes = (codec: string): TypeAnswer => ({ type: `video/mp4; codecs="${codec}"`, plays: true });
const TELEVISION_PLAYS = ["hvc1.2.4.L153.B0", "ac-3", "ec-3"].map(yes);

/** Throws TorrxError("validation") where `told` is not of CAPS_SCHEMA. */
export function clientCaps({ told, userAgent, accept }: ClientFacts): ClientCaps {
  if (told === undefined || told === null) return capsOfUserAgent(userAgent, accept);
  const caps = parseCaps(told);
  const platform = caps.platform ?? platformOf(userAgent);
  return {
    ...caps,
    platform,
    readsContainers: readsContainers(userAgent),
    types: corrected(caps.types, platform),
    dynamicRanges: rangesOf(caps, platform, userAgent),
  };
}

function corrected(types: readonly TypeAnswer[], platform: Platform): readonly TypeAnswer[] {
  switch (platform) {
    case "tizen":
    case "webos":
      // Their decoders take both, whatever the browser answers.
      return [
        ...types.filter(({ plays, type }) => plays || !/\b(hvc1|hev1|ac-3|ec-3)/i.test(type)),
        ...TELEVISION_PLAYS,
      ];
    case "xbox":
      return types.filter(({ type }) => !/\bav01\b/i.test(type));
    default:
      return types;
  }
}

/** A tablet that poses as a desktop does not show HDR like one. */
function rangesOf(caps: ToldCaps, platform: Platform, userAgent: string | null): readonly HighRange[] {
  const own = platform === "android" ? [] : highRangesOf(userAgent);
  return [...new Set([...caps.dynamicRanges, ...own])];
}
