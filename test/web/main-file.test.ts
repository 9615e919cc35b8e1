import { expect, test } from "bun:test";
import type { TorrentFile } from "../../web/src/api/types.ts";
import { isPlayable, mainFileOf } from "../../web/src/lib/main-file.ts";

const file = (size: number, isVideo: boolean, url: string | null = "/x") =>
  ({ size, is_video: isVideo, is_audio: false, stream_url: url }) as TorrentFile;

test("Play takes the largest video that has a link, and nothing where there is none", () => {
  const film = file(100, true);
  expect(mainFileOf([file(10, true), film, file(500, false), file(900, true, null)])).toBe(film);
  expect(mainFileOf([file(500, false)])).toBeNull();
  expect(mainFileOf([])).toBeNull();
});

test("without a video Play takes the largest audio; only videos and audio can be played", () => {
  const song = (size: number) => ({ ...file(size, false), is_audio: true });
  const album = song(300);
  expect(mainFileOf([song(10), album, file(900, false)])).toBe(album);
  const film = file(5, true);
  expect(mainFileOf([album, film])).toBe(film);
  expect([film, album, file(1, false)].map(isPlayable)).toEqual([true, true, false]);
});
