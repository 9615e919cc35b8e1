import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { InfoHash } from "../../../src/base/brand.ts";
import type { TorrentQuery } from "../../../src/services/index.ts";
import { useTempDirectories } from "../../support/temp-directory.ts";
import { makeTorrent, type Rig, startRig } from "./rig.ts";

const tempDirectory = useTempDirectories();
let rig: Rig;
const ids = new Map<string, InfoHash>();

beforeEach(async () => {
  rig = await startRig(tempDirectory());
  ids.clear();
  const names = ["Show 10", "show 2", "Кино Ёж", "Café"];
  for (const [n, name] of names.entries()) {
    const { bytes, id } = makeTorrent(name, null, { length: 1_000 * (n + 1) });
    await rig.services.torrents.addTorrentFile(bytes, { paused: n === 0 });
    ids.set(name, id);
    rig.clock.advance(1_000);
  }
  rig.engine.setStats(ids.get("show 2")!, {
    status: "downloading",
    downloadSpeed: 9,
    progress: 0.5,
    fileBytes: [1],
  });
  rig.engine.setStats(ids.get("Café")!, { status: "seeding", progress: 1, fileBytes: [4_000] });
});

afterEach(async () => {
  await rig.close();
});

function names(query: TorrentQuery): string[] {
  return rig.services.torrents.list(query).items.map(({ name }) => name);
}

describe("list", () => {
  test("comes newest first and can be sorted by every key, both ways", () => {
    const added = ["Show 10", "show 2", "Кино Ёж", "Café"];
    expect(names({})).toEqual(added.toReversed());
    expect(names({ sort: "added_at" })).toEqual(added);
    expect(names({ sort: "name" })).toEqual(["Café", "show 2", "Show 10", "Кино Ёж"]);
    expect(names({ sort: "-name" })).toEqual(["Кино Ёж", "Show 10", "show 2", "Café"]);
    expect(names({ sort: "-size" })).toEqual(added.toReversed());
    expect(names({ sort: "-progress" }).slice(0, 2)).toEqual(["Café", "show 2"]);
    expect(names({ sort: "-download_speed" })[0]).toBe("show 2");
  });

  test("is searched without regard to case, composition or word order", () => {
    expect(names({ search: "SHOW" })).toEqual(["show 2", "Show 10"]);
    expect(names({ search: "ёж кино" })).toEqual(["Кино Ёж"]);
    expect(names({ search: "cafe\u0301" })).toEqual(["Café"]);
    expect(names({ search: "%" })).toEqual([]);
    expect(names({ search: "  " })).toHaveLength(4);
  });

  test("is filtered by status and paged, the total being that of all pages", () => {
    expect(names({ status: "seeding" })).toEqual(["Café"]);
    expect(names({ status: "paused" })).toEqual(["Show 10"]);
    const page = rig.services.torrents.list({ sort: "added_at", offset: 1, limit: 2 });
    expect(page.items.map(({ name }) => name)).toEqual(["show 2", "Кино Ёж"]);
    expect(page.total).toBe(4);
    expect(names({ offset: 99 })).toEqual([]);
    expect(names({ limit: 0 })).toEqual([]);
  });

  test("refuses a sort key that is none and a page that is none", () => {
    for (const query of [
      { sort: "evil" },
      { sort: "--name" },
      { sort: "" },
      { limit: -1 },
      { offset: 0.5 },
    ]) {
      expect(() => names(query), JSON.stringify(query)).toThrow(/^(sort|limit|offset) must be/);
    }
  });
});
