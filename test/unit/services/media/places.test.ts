import { describe, expect, test } from "bun:test";
import { Places } from "../../../../src/services/media/places.ts";

const FOREVER = new AbortController().signal;
const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

describe("places", () => {
  test("are given to so many at once, in the order in which they were asked for", async () => {
    const places = new Places(2);
    const begun: number[] = [];
    const works = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const all = works.map((work, n) =>
      places.within(FOREVER, async () => {
        begun.push(n);
        await work.promise;
        return n;
      }),
    );
    await turns();
    expect(begun).toEqual([0, 1]);
    works[1]!.reject(new Error("failed"));
    await expect(all[1]!).rejects.toThrow("failed");
    await turns();
    expect(begun).toEqual([0, 1, 2]);
    for (const { resolve } of works) resolve();
    expect(await Promise.all([all[0], all[2], all[3]])).toEqual([0, 2, 3]);
  });

  test("are not kept for who has left the line", async () => {
    const places = new Places(1);
    const first = Promise.withResolvers<void>();
    const holding = places.within(FOREVER, () => first.promise);
    const leaving = new AbortController();
    let hasBegun = false;
    const gone = places.within(leaving.signal, () => {
      hasBegun = true;
      return Promise.resolve();
    });
    const last = places.within(FOREVER, () => Promise.resolve("last"));
    leaving.abort(new Error("gone"));
    await expect(gone).rejects.toThrow("gone");
    first.resolve();
    await holding;
    expect(await last).toBe("last");
    expect(hasBegun).toBe(false);
    await expect(places.within(leaving.signal, () => Promise.resolve())).rejects.toThrow("gone");
  });
});
