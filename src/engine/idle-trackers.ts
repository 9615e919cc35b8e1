import { publicUrl, type TrackerState } from "../swarm/index.ts";

/** The tracker rows of a torrent that does not run, without their passkeys. */
export function idleTrackers(tiers: readonly (readonly string[])[]): TrackerState[] {
  return tiers.flatMap((urls, tier) =>
    urls.map((url) => ({
      url: publicUrl(url),
      tier,
      status: "idle" as const,
      message: null,
      nextAnnounceSec: null,
      seeders: null,
      leechers: null,
    })),
  );
}
