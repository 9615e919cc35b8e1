import { describe, expect, test } from "bun:test";
import type { AudioTrack, Reason, SubtitleTrack } from "../../web/src/api/types.ts";
import { audioText, qualityText, reasonTexts, subtitleText } from "../../web/src/lib/track-text.ts";

const audio = (more: Partial<AudioTrack> = {}): AudioTrack => ({
  index: 0,
  language: "en",
  codec: "aac",
  channels: 2,
  title: null,
  ...more,
});
const subtitle = (more: Partial<SubtitleTrack> = {}): SubtitleTrack => ({
  index: 0,
  language: "en",
  title: null,
  codec: "subrip",
  forced: false,
  available: true,
  ...more,
});
const reason = (message: string, track: string | null = null): Reason => ({ code: "x", message, track });

describe("the player's lists", () => {
  test("an audio track is called by its language, its title and its sound", () => {
    expect(audioText(audio())).toBe("English · AAC stereo");
    const russian = audio({ language: "ru", codec: "ac3", channels: 6, title: "Дубляж" });
    expect(audioText(russian)).toBe("Russian · Дубляж · AC-3 5.1");
    expect(audioText(audio({ language: null, title: "Commentary", codec: "wmav2", channels: 3 }))).toBe(
      "Commentary · WMAV2 3 channels",
    );
    expect(audioText(audio({ index: 2, language: null, codec: "dts", channels: 1 }))).toBe(
      "Track 3 · DTS mono",
    );
  });

  test("a language that has no name is shown as it is, and a title that only repeats it is not", () => {
    expect(audioText(audio({ language: "not a tag" }))).toBe("not a tag · AAC stereo");
    expect(subtitleText(subtitle({ title: "English" }))).toBe("English");
    expect(subtitleText(subtitle({ title: "" }))).toBe("English");
  });

  test("subtitles say whether they are forced, and that pictures cannot be shown", () => {
    expect(subtitleText(subtitle({ forced: true }))).toBe("English · forced");
    expect(subtitleText(subtitle({ index: 1, language: null }))).toBe("Track 2");
    expect(subtitleText(subtitle({ language: "fr", available: false, codec: "hdmv_pgs_subtitle" }))).toBe(
      "French · pictures, not available in a browser",
    );
  });

  test("a quality is called by its height", () => {
    expect(qualityText("original", { width: 1920, height: 1080 })).toBe("Original · 1080p");
    expect(qualityText("original", null)).toBe("Original");
    expect(qualityText("480", { width: 1920, height: 1080 })).toBe("480p");
  });

  test("a reason is told once, with the tracks that it is about where there are several", () => {
    const tracks = {
      video: null,
      audio: [audio(), audio({ index: 1, language: "ru", title: "Дубляж" })],
      subtitles: [subtitle()],
    };
    const reasons = [
      reason("No container.", null),
      reason("No sound.", "a0"),
      reason("No sound.", "a1"),
      reason("No picture.", "v0"),
      reason("No text.", "s0"),
    ];
    expect(reasonTexts(reasons, tracks)).toEqual([
      "No container.",
      "No sound. (English, Russian · Дубляж)",
      "No picture.",
      "No text.",
    ]);
    expect(reasonTexts(reasons, null)).toEqual(["No container.", "No sound.", "No picture.", "No text."]);
  });
});
