// Viewers who seek all the time and leave in the middle, on real ffmpeg runs: never more runs than allowed, every answer
// the right one, nothing left behind.

import { afterAll, expect, test } from "bun:test";
import { type Random, seededRandom } from "../../src/base/random.ts";
import type { Rendition } from "../../src/media/runs/rendition.ts";
import {
  copyOf,
  countOf,
  encodeSound,
  fetchAll,
  OpenFilms,
  range,
  SEED,
  sameBytes,
} from "../support/continuity.ts";
import { makeMedia } from "../support/media.ts";
import { describeIsolated } from "../support/namespace.ts";
import { MemoryStore } from "../support/rendition-rig.ts";

const films = new OpenFilms();

afterAll(() => films.close());

const SEEKS = 50;
const WITHIN_MS = 60_000;

interface Viewer {
  readonly client: string;
  readonly random: Random;
  /** What each segment is; null where that depends on the run. */
  readonly wanted: readonly (Uint8Array | null)[];
}

/** Asks for segments anywhere, and leaves before some of them come. How many came. */
async function scrub(rendition: Rendition, { client, random, wanted }: Viewer): Promise<number> {
  let answered = 0;
  for (let i = 0; i < SEEKS / 2; i++) {
    const n = random.below(wanted.length);
    const leaving = AbortSignal.timeout(random.next() < 0.4 ? random.below(250) : WITHIN_MS);
    const bytes = await rendition.segment(n, leaving, client).catch((error: unknown) => {
      if (!leaving.aborted) throw error;
      return null;
    });
    if (bytes === null) continue;
    answered++;
    const right = wanted[n] ?? bytes;
    expect(sameBytes([bytes], [right])).toBe(true);
  }
  return answered;
}

describeIsolated("a storm of seeks", () => {
  test(
    `of two viewers on copied video and on sound (seed ${SEED})`,
    async () => {
      const media = await makeMedia({ kind: "mkv", durationSec: 120, bytesPerSec: 60_000 });
      const rig = await films.open(media.path);
      const works = [
        { work: copyOf({ name: "" }), plan: rig.videoPlan(4) },
        { work: encodeSound(2, 48_000), plan: rig.audioPlan(48_000) },
      ];
      let most = 0;
      let mostOfOne = 0;
      const renditions: Rendition[] = [];
      const watch = setInterval(() => {
        most = Math.max(most, rig.programs.pids.length);
        mostOfOne = Math.max(mostOfOne, ...renditions.map(({ runs }) => runs.length));
      }, 5);
      for (const { work, plan } of works) {
        const first = rig.rendition(work, plan);
        const whole = await fetchAll(first, range(countOf(plan)));
        await first.close();
        const store = new MemoryStore();
        // Nothing stays for long, so that each seek is one.
        store.put = (key, bytes) => {
          store.kept.set(key, bytes);
          if (store.kept.size > 4) store.kept.delete([...store.kept.keys()][0] as string);
          return Promise.resolve();
        };
        const shared = rig.rendition(work, plan, { store });
        renditions.push(shared);
        const random = seededRandom(SEED);
        const isCopy = work.kind === "copy_video";
        const viewer = { random, wanted: whole.map((bytes) => (isCopy ? bytes : null)) };
        const viewers = ["one", "two"].map((client) => scrub(shared, { ...viewer, client }));
        const answered = await Promise.all(viewers);
        expect(Math.min(...answered)).toBeGreaterThan(5);
        await shared.close();
        expect(shared.runs).toEqual([]);
      }
      clearInterval(watch);
      expect(mostOfOne).toBe(2);
      expect(most).toBeLessThanOrEqual(2);
      expect([rig.programs.pids.length, rig.server.openInputs, rig.limits.running("cheap")]).toEqual([
        0, 0, 0,
      ]);
    },
    WITHIN_MS,
  );
});
