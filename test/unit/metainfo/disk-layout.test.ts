import { expect, test } from "bun:test";
import { filePathOf, parseInfoDict, torrentFolderOf } from "../../../src/metainfo/index.ts";
import { multiFileInfo, singleFileInfo } from "./torrent-builder.ts";

const PLACE = { saveDirectory: "/data", diskName: null };

test("a single file lies in the download folder itself", () => {
  const info = parseInfoDict(singleFileInfo());
  expect(torrentFolderOf(info, PLACE)).toBeNull();
  expect(filePathOf(info, PLACE, info.files[0]!)).toBe("/data/film.mkv");
  expect(filePathOf(info, { ...PLACE, diskName: "film (2).mkv" }, info.files[0]!)).toBe("/data/film (2).mkv");
});

test("several files lie in a folder of the torrent's name, or of the name it got on disk", () => {
  const info = parseInfoDict(multiFileInfo([{ path: ["s1", "e1.mkv"], length: 5 }]));
  expect(torrentFolderOf(info, PLACE)).toBe("/data/Show");
  expect(filePathOf(info, PLACE, info.files[0]!)).toBe("/data/Show/s1/e1.mkv");
  expect(filePathOf(info, { ...PLACE, diskName: "Show (2)" }, info.files[0]!)).toBe(
    "/data/Show (2)/s1/e1.mkv",
  );
});

test("the only file of a folder whose path is empty of names still lies inside the folder", () => {
  const info = parseInfoDict(multiFileInfo([{ path: [".."], length: 5 }], { name: ".." }));
  expect(filePathOf(info, PLACE, info.files[0]!)).toBe("/data/_/_");
});
