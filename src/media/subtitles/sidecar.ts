// Which subtitle files of a torrent belong to which film, and what their names say. Pure, and the same list in the same
// order for the same files: the place of a track in it is part of its address.

import { LIMITS } from "../../base/limits.ts";
import { isVideo } from "../../metainfo/index.ts";
import { factsOf, isSubtitlesWord, wordsOf } from "./sidecar-name.ts";

export interface ListedFile {
  readonly index: number;
  /** With "/" between folders. */
  readonly path: string;
  readonly lengthBytes: number;
}

export type SubtitleFormat = "srt" | "vtt" | "ass";

export interface Sidecar {
  /** Of the file within the torrent. */
  readonly fileIndex: number;
  readonly path: string;
  readonly lengthBytes: number;
  readonly format: SubtitleFormat;
  /** BCP 47, or null. */
  readonly language: string | null;
  /** What the name says beyond film, language and kind: a translator, a release group; or null. */
  readonly title: string | null;
  readonly isForced: boolean;
  /** For the deaf and hard of hearing. */
  readonly isSdh: boolean;
}

const FORMATS: Readonly<Record<string, SubtitleFormat>> = { srt: "srt", vtt: "vtt", ass: "ass", ssa: "ass" };
/** Smaller than the film by this factor is a trailer or a sample: it does not make a folder ambiguous. */
const SMALL_VIDEO_SHARE = 0.1;
/** S01E02, 1x02, " - 02". */
const EPISODES = [
  /\bs(\d{1,3})[ ._-]?e(\d{1,4})(?!\d)/i,
  /\b(\d{1,2})x(\d{2,3})(?!\d)/i,
  /()\s-\s(\d{2,4})(?!\d)/,
] as const;

/** Sorted by path. What is too large to be read is left out. */
export function sidecarsOf(files: readonly ListedFile[], videoPath: string): Sidecar[] {
  const matcher = new SidecarMatcher(files, videoPath);
  return files
    .filter((file) => formatOf(file.path) !== null && file.lengthBytes <= LIMITS.subtitles.fileBytes)
    .filter((file) => matcher.belongs(file.path))
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.index - b.index))
    .slice(0, LIMITS.subtitles.sidecars)
    .map((file) => matcher.sidecarOf(file));
}

/** More words than this are of no name. */
const WORDS_MAX = 64;

/** A path taken apart: folders, and the words of the name without its extension. */
class NamedPath {
  readonly folders: readonly string[];
  readonly words: readonly string[];
  /** The words as they are compared. */
  readonly keys: readonly string[];
  readonly episode: string | null;

  constructor(path: string) {
    const parts = path.split("/");
    const stem = (parts.pop() ?? "").replace(/\.[^.]*$/, "");
    this.folders = parts;
    this.words = wordsOf(stem).slice(0, WORDS_MAX);
    this.keys = this.words.map(folded);
    this.episode = episodeOf(stem);
  }

  get name(): string {
    return this.keys.join(" ");
  }

  isBelow(folders: readonly string[]): boolean {
    return folders.every((folder, i) => folder === this.folders[i]);
  }
}

class SidecarMatcher {
  readonly #film: NamedPath;
  /** All videos by name, so that a torrent of many files costs no more than their number. */
  readonly #videos = new Map<string, NamedPath[]>();
  readonly #hasRivals: boolean;
  readonly #hasRivalsBelow: boolean;

  constructor(files: readonly ListedFile[], videoPath: string) {
    const film = new NamedPath(videoPath);
    const smallBytes = (files.find((file) => file.path === videoPath)?.lengthBytes ?? 0) * SMALL_VIDEO_SHARE;
    const others = files.filter((file) => file.path !== videoPath && isVideo(file.path));
    const rivals = others
      .filter((file) => file.lengthBytes > smallBytes)
      .map((file) => new NamedPath(file.path));
    for (const video of [film, ...others.map((file) => new NamedPath(file.path))]) {
      const same = this.#videos.get(video.name);
      if (same === undefined) this.#videos.set(video.name, [video]);
      else same.push(video);
    }
    this.#film = film;
    this.#hasRivals = rivals.length > 0;
    this.#hasRivalsBelow = rivals.some((rival) => rival.isBelow(film.folders));
  }

  belongs(path: string): boolean {
    const file = new NamedPath(path);
    const named = this.#namedBy(file);
    if (named !== undefined) return this.#isNearest(file, named);
    const inFolder = file.folders.findLast((folder) => this.#videos.has(comparable(folder)));
    if (inFolder !== undefined && comparable(inFolder) === this.#film.name) return true;
    if (inFolder !== undefined && !this.#film.folders.includes(inFolder)) return false;
    return !this.#hasRivals || (this.#isOfEpisode(file) ?? this.#isOnlyFilmAround(file));
  }

  sidecarOf(file: ListedFile): Sidecar {
    const path = new NamedPath(file.path);
    const name = factsOf(this.#ownWords(path));
    const around = factsOf(this.#foldersAround(path).flatMap(wordsOf));
    const title = name.left.length > 0 ? name.left : around.left;
    return {
      fileIndex: file.index,
      path: file.path,
      lengthBytes: file.lengthBytes,
      format: formatOf(file.path) ?? "srt",
      language: name.language ?? around.language,
      title: title.length === 0 ? null : title.join(" "),
      isForced: name.isForced || around.isForced,
      isSdh: name.isSdh || around.isSdh,
    };
  }

  /** The videos with the longest name that this name begins with. */
  #namedBy(file: NamedPath): readonly NamedPath[] | undefined {
    for (let words = file.keys.length; words > 0; words--) {
      const videos = this.#videos.get(file.keys.slice(0, words).join(" "));
      if (videos !== undefined) return videos;
    }
    return undefined;
  }

  /** Of two films with one name (CD1/film.avi, CD2/film.avi) the one that the file lies by. */
  #isNearest(file: NamedPath, named: readonly NamedPath[]): boolean {
    if (!named.includes(this.#film)) return false;
    return file.isBelow(this.#film.folders) || !named.some((video) => file.isBelow(video.folders));
  }

  /** null where film or file tell no episode. */
  #isOfEpisode(file: NamedPath): boolean | null {
    const episode = file.episode ?? episodeOf(file.folders.at(-1) ?? "");
    return episode === null || this.#film.episode === null ? null : episode === this.#film.episode;
  }

  /** Beside the only film of a folder, or below it in folders for subtitles. */
  #isOnlyFilmAround(file: NamedPath): boolean {
    const { folders } = this.#film;
    if (!file.isBelow(folders) || this.#hasRivalsBelow) return false;
    const between = file.folders.slice(folders.length);
    return between.length === 0 || between.some((folder) => wordsOf(folder).some(isSubtitlesWord));
  }

  /** The words of a name that are not the film's. */
  #ownWords(file: NamedPath): readonly string[] {
    const { keys } = this.#film;
    if (keys.every((key, i) => key === file.keys[i])) return file.words.slice(keys.length);
    const own = file.words.filter((_, i) => !keys.includes(file.keys[i] ?? ""));
    return own.length === 0 && file.words.length === 1 ? file.words : own;
  }

  /** Folders that say something of the subtitles: not those that the film lies in, nor one called like it. */
  #foldersAround(file: NamedPath): readonly string[] {
    const apart = this.#film.folders.findIndex((folder, i) => folder !== file.folders[i]);
    return file.folders
      .slice(apart < 0 ? this.#film.folders.length : apart)
      .filter((folder) => comparable(folder) !== this.#film.name);
  }
}

function episodeOf(name: string): string | null {
  for (const pattern of EPISODES) {
    const match = pattern.exec(name);
    if (match !== null) return `${Number(match[1])}x${Number(match[2])}`;
  }
  return null;
}

function formatOf(path: string): SubtitleFormat | null {
  const extension = /\.([a-z0-9]{3})$/i.exec(path)?.[1]?.toLowerCase();
  return extension === undefined ? null : (FORMATS[extension] ?? null);
}

function comparable(name: string): string {
  return wordsOf(name).slice(0, WORDS_MAX).map(folded).join(" ");
}

function folded(word: string): string {
  return word.normalize("NFC").toLowerCase();
}
