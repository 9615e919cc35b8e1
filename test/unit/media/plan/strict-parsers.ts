// Two parsers of others, and the rules of RFC 8216 that they do not check.

import { expect } from "bun:test";
import * as hls from "hls-parser";
import { type ParsedManifest, Parser } from "m3u8-parser";

export interface ParsedMedia {
  readonly lengthsSec: readonly number[];
  readonly uris: readonly string[];
  readonly initUri: string | null;
  readonly targetSec: number;
}

/** Both parsers' reading of a media playlist, which must be the same; throws where one of them complains. */
export function parseMedia(text: string): ParsedMedia {
  const manifest = second(text);
  const parsed = first(text);
  if (parsed.isMasterPlaylist) throw new Error("not a media playlist");
  const media = parsed as hls.types.MediaPlaylist;
  expect(media.segments.map(({ uri, duration }) => [uri, duration])).toEqual(
    manifest.segments.map(({ uri, duration }) => [uri, duration]),
  );
  expect([media.endlist, media.playlistType, manifest.endList, manifest.playlistType]).toEqual([
    true,
    "VOD",
    true,
    "VOD",
  ]);
  checkMediaLines(text);
  return {
    lengthsSec: media.segments.map(({ duration }) => duration),
    uris: media.segments.map(({ uri }) => uri),
    initUri: manifest.segments[0]?.map?.uri ?? null,
    targetSec: media.targetDuration,
  };
}

export function parseMaster(text: string): hls.types.MasterPlaylist {
  const manifest = second(text);
  const parsed = first(text);
  if (!parsed.isMasterPlaylist) throw new Error("not a master playlist");
  const master = parsed as hls.types.MasterPlaylist;
  expect(master.variants.map(({ uri }) => uri)).toEqual((manifest.playlists ?? []).map(({ uri }) => uri));
  return master;
}

/** An EXT-X-MEDIA or EXT-X-STREAM-INF line as its attributes, by a reader that takes RFC 8216 §4.2 literally. */
export function attributesOf(line: string): Record<string, string> {
  const found: Record<string, string> = {};
  let rest = line.slice(line.indexOf(":") + 1);
  while (rest !== "") {
    const match = /^([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)/.exec(rest);
    if (match === null) throw new Error(`no attribute list: ${line}`);
    if (found[match[1]!] !== undefined) throw new Error(`an attribute twice: ${line}`);
    found[match[1]!] = match[2]!.replaceAll('"', "");
    rest = rest.slice(match[0].length);
  }
  return found;
}

export function linesOf(text: string, tag: string): string[] {
  return text.split("\n").filter((line) => line.startsWith(`#${tag}:`));
}

function first(text: string): hls.types.MasterPlaylist | hls.types.MediaPlaylist {
  hls.setOptions({ strictMode: true });
  return hls.parse(text);
}

function second(text: string): ParsedManifest {
  const parser = new Parser();
  const complaints: string[] = [];
  for (const kind of ["warn", "error"] as const) parser.on(kind, ({ message }) => complaints.push(message));
  parser.push(text);
  parser.end();
  expect(complaints).toEqual([]);
  return parser.manifest;
}

function checkMediaLines(text: string): void {
  const lines = text.split("\n");
  expect(lines[0]).toBe("#EXTM3U");
  expect(lines.slice(-2)).toEqual(["#EXT-X-ENDLIST", ""]);
  const target = Number(lines.find((line) => line.startsWith("#EXT-X-TARGETDURATION:"))?.split(":")[1]);
  const infos = lines.filter((line) => line.startsWith("#EXTINF:"));
  for (const info of infos) {
    expect(info).toMatch(/^#EXTINF:\d+\.\d{6},$/);
    // To the nearest whole number, as the RFC says; told in text, not in binary fractions.
    const [whole = "", fraction = ""] = info.slice(8, -1).split(".");
    expect(Number(whole) + (fraction >= "500000" ? 1 : 0)).toBeLessThanOrEqual(target);
  }
  const longest = Math.max(...infos.map((info) => Number.parseFloat(info.slice(8))));
  // Not longer than needed either: players poll and buffer by it.
  expect(target).toBeLessThanOrEqual(Math.max(1, Math.ceil(longest)));
}
