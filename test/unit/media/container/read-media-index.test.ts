import { describe, expect, test } from "bun:test";
import { TorrxError } from "../../../../src/base/errors.ts";
import { readMediaIndex } from "../../../../src/media/container/read-media-index.ts";
import type { MediaSource } from "../../../../src/media/ports.ts";
import { sourceOf } from "../../../support/counted-source.ts";
import { box, bytesOf, element, u32 } from "../../../support/media-bytes.ts";

const never = new AbortController().signal;
const NOTHING = { container: "other", durationSec: null, tracks: [], keyframes: null, noIndex: "container" };

describe("the index of a film", () => {
  test("is none for files of other kinds, of which only the head is read", async () => {
    const texts = [
      "",
      "a",
      "RIFF\0\0\0\0AVI LIST",
      "G".repeat(188),
      "FLV\x01",
      "OggS",
      "#EXTM3U\n",
      "ffconcat version 1.0",
    ];
    for (const text of texts) {
      const source = sourceOf(bytesOf(text, new Uint8Array(200_000)));
      expect(await readMediaIndex(source, never)).toEqual({ ...NOTHING, headBytes: [] } as never);
      expect(source.requests).toHaveLength(1);
    }
    expect(await readMediaIndex(sourceOf(new Uint8Array()), never)).toMatchObject(NOTHING);
  });

  test("is broken for nothing but a beginning", async () => {
    const beginnings = [
      [0x1a, 0x45, 0xdf, 0xa3],
      element(0x1a45dfa3, element(0x4282, "matroska")),
      bytesOf(element(0x1a45dfa3), element(0x18538067)),
      box("ftyp", "isom"),
      bytesOf(u32(100), "ftyp"),
      bytesOf(u32(8), "moov"),
    ].map((beginning) => bytesOf(beginning));
    const reasons = await Promise.all(beginnings.map((bytes) => readMediaIndex(sourceOf(bytes), never)));
    expect(reasons.map((index) => index.noIndex)).toEqual([
      "broken",
      "broken",
      "broken",
      "broken",
      "broken",
      "no_video",
    ]);
  });

  test("rejects with what ended the reading, and only then", async () => {
    const gone = new TorrxError("not_found", "removed");
    const failing: MediaSource = { lengthBytes: 1000, read: () => Promise.reject(gone) };
    expect(await readMediaIndex(failing, never).catch((error) => error)).toBe(gone);

    const reason = new Error("closed");
    const aborted = sourceOf(new Uint8Array(1000));
    expect(await readMediaIndex(aborted, AbortSignal.abort(reason)).catch((error) => error)).toBe(reason);
    expect(aborted.requests).toEqual([]);
  });

  test("an abort ends the wait for a piece that never comes", async () => {
    const head = bytesOf(box("ftyp", "isom"), u32(500_000), "mdat");
    const abort = new AbortController();
    let reads = 0;
    const stuck: MediaSource = {
      lengthBytes: 1_000_000,
      read: (_at, lengthBytes, signal) => {
        if (reads++ === 0) return Promise.resolve(bytesOf(head, new Uint8Array(lengthBytes - head.length)));
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          queueMicrotask(() => abort.abort(new Error("viewer left")));
        });
      },
    };
    await expect(readMediaIndex(stuck, abort.signal)).rejects.toThrow("viewer left");
    expect(reads).toBe(2);
  });
});
