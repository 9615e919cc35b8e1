import { expect, test } from "bun:test";
import type { TorrentFile } from "../../web/src/api/types.ts";
import { mainFileOf } from "../../web/src/lib/main-file.ts";

const file = (size: number, isVideo: boolean, url: string | null = "/x") =>
  ({ size, is_video: isVideo, stream_url: url }) as TorrentFile;

test("Play takes the largest video that has a link, and nothing where there is none", () => {
  const film = file(100, true);
  expect(mainFileOf([file(10, true), film, file(500, false), file(900, true, null)])).toBe(film);
  expect(mainFileOf([file(500, false)])).toBeNull();
  expect(mainFileOf([])).toBeNull();
});
