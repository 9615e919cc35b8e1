import { describe, expect, test } from "bun:test";
import type { Torrent } from "../../web/src/api/types.ts";
import { inOrder, merged } from "../../web/src/state/merge.ts";

const torrent = (id: string, addedAt: string, progress = 0) =>
  ({ id, added_at: addedAt, progress, name: `name of ${id}` }) as Torrent;

const OLD = torrent("a", "2026-01-01T00:00:00.000Z");
const NEW = torrent("b", "2026-02-01T00:00:00.000Z");

describe("the live list", () => {
  test("the newest comes first, and ties keep their places", () => {
    const twin = torrent("c", NEW.added_at);
    expect(inOrder([OLD, twin, NEW]).map(({ id }) => id)).toEqual(["b", "c", "a"] as never[]);
  });

  test("a patch changes only what it names", () => {
    const after = merged([NEW, OLD], { torrents: [{ id: OLD.id, progress: 0.5 }], removed: [] });
    expect(after).toEqual([NEW, { ...OLD, progress: 0.5 }]);
    expect(OLD.progress).toBe(0);
  });

  test("a change of what is already gone makes no torrent", () => {
    expect(merged([NEW], { torrents: [{ id: OLD.id, progress: 0.5 }], removed: [] })).toEqual([NEW]);
  });

  test("a patch adds what is new and takes away what was removed, known or not", () => {
    const third = torrent("c", "2026-03-01T00:00:00.000Z");
    expect(merged([NEW, OLD], { torrents: [third], removed: ["a", "zz"] })).toEqual([third, NEW]);
    expect(merged([], { torrents: [], removed: ["a"] })).toEqual([]);
  });
});
