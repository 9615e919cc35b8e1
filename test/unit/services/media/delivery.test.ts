import { describe, expect, test } from "bun:test";
import type { InfoHash } from "../../../../src/base/brand.ts";
import { TorrxError } from "../../../../src/base/errors.ts";
import { chooseDelivery } from "../../../../src/services/media/delivery.ts";
import type { StreamTarget } from "../../../../src/services/ports.ts";

const FILE = { torrent: "ab".repeat(20) as InfoHash, file: 0, userAgent: null, accept: null };

function choose(
  mode: string | null,
  { name = "film.mkv", isComplete = false, wantsBytes = false } = {},
): "bytes" | "hls" {
  return chooseDelivery(
    { ...FILE, mode },
    { resolve: () => ({ name, isComplete }) as StreamTarget, wantsBytes: () => wantsBytes },
  );
}

describe("one endpoint", () => {
  test("auto: an incomplete film is a playlist, unless the client reads containers", () => {
    for (const mode of [null, "auto"]) {
      expect(choose(mode)).toBe("hls");
      expect(choose(mode, { wantsBytes: true })).toBe("bytes");
      expect(choose(mode, { isComplete: true })).toBe("bytes");
    }
  });

  test("direct and hls mean what they say, whoever asks", () => {
    for (const wantsBytes of [true, false]) {
      for (const isComplete of [true, false]) {
        expect(choose("direct", { wantsBytes, isComplete })).toBe("bytes");
        expect(choose("hls", { wantsBytes, isComplete })).toBe("hls");
      }
    }
  });

  test("what is neither video nor audio goes out as bytes in every mode", () => {
    for (const name of ["film.srt", "cover.jpg", "readme", "page.html"]) {
      for (const mode of [null, "auto", "direct", "hls"]) expect(choose(mode, { name }), name).toBe("bytes");
    }
    for (const name of ["song.flac", "FILM.MP4"]) expect(choose(null, { name })).toBe("hls");
  });

  test("an unknown mode is refused", () => {
    for (const mode of ["", "HLS", "dash", "direct "]) {
      const refused = () => choose(mode);
      expect(refused).toThrow(TorrxError);
      expect(refused).toThrow("mode must be auto, direct or hls");
    }
  });
});
