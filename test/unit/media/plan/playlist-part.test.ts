import { expect, test } from "bun:test";
import { renditionName, tryRendition } from "../../../../src/media/plan/playlist-part.ts";
import type { RenditionId } from "../../../../src/media/ports.ts";

test("a rendition's name leads back to it", () => {
  const all: RenditionId[] = [
    { kind: "video", track: 0, quality: "480" },
    { kind: "audio", track: 0, quality: "original" },
    { kind: "audio", track: 12, quality: "original" },
    { kind: "subtitle", track: 2, quality: "original" },
  ];
  for (const id of all) expect(tryRendition(renditionName(id), id.quality)).toEqual(id);
});

test("without a name it is the video, without a quality the original; audio has no other", () => {
  expect(tryRendition(null, null)).toEqual({ kind: "video", track: 0, quality: "original" });
  expect(tryRendition("v0", "720")).toEqual({ kind: "video", track: 0, quality: "720" });
  expect(tryRendition("a1", "720")).toEqual({ kind: "audio", track: 1, quality: "original" });
});

test("anything else is no rendition", () => {
  for (const name of [
    "",
    "v1",
    "v00",
    "a",
    "a01",
    "a1000",
    "b0",
    "a-1",
    "a1 ",
    "A1",
    "a1\n",
    "a1/..",
    "v0a1",
  ]) {
    expect(tryRendition(name, null), name).toBeNull();
  }
  for (const quality of ["", "1080", "720p", "ORIGINAL", "constructor"]) {
    expect(tryRendition("v0", quality), quality).toBeNull();
  }
});
