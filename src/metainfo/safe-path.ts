// Names out of a torrent become paths here and nowhere else. Invariant of a SafePath: relative, "/"-separated, every
// component non-empty, no "." or "..", no separator, control, bidi or zero-width character, NFC, at most 255 bytes,
// no name that Windows reserves, no trailing dot or space. Within one torrent no two paths are equal on a file system
// that ignores case, and no path is a folder of another.

import type { SafePath } from "../base/brand.ts";
import { TorrxError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

const SEPARATORS_AND_INVISIBLE =
  /[/\\\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL_OR_BROKEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd]/gu;
const TRAILING_DOTS_AND_SPACES = /[. ]+$/u;
const WINDOWS_RESERVED =
  /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:$|[. ])/iu;
const DRIVE = /^[a-z]:/iu;
/** A longer last part is taken for prose, not for an extension. */
const EXTENSION_BYTES_MAX = 32;

/** One path component made of any text. Total and idempotent. */
export function safeComponent(text: string): SafePath {
  const visible = text.toWellFormed().replace(SEPARATORS_AND_INVISIBLE, "").normalize("NFC");
  const printable = visible.replace(CONTROL_OR_BROKEN, "_").replace(TRAILING_DOTS_AND_SPACES, "");
  const plain = printable.replace(DRIVE, (drive) => `${drive.charAt(0)}_`);
  const unreserved = WINDOWS_RESERVED.test(plain) ? `_${plain}` : plain;
  return (shortened(unreserved, "") || "_") as SafePath;
}

/** `name` with `suffix` in front of its extension, cut so that the whole stays a legal component. */
function shortened(name: string, suffix: string): string {
  if (Buffer.byteLength(name) + suffix.length <= LIMITS.metainfo.pathComponentBytes) {
    if (suffix === "") return name;
    const { stem, extension } = splitExtension(name);
    return `${stem}${suffix}${extension}`;
  }
  const { stem, extension } = splitExtension(name);
  const room = LIMITS.metainfo.pathComponentBytes - Buffer.byteLength(extension) - suffix.length;
  return `${cutToBytes(stem, room).replace(TRAILING_DOTS_AND_SPACES, "")}${suffix}${extension}`;
}

function splitExtension(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot) : "";
  if (extension === "" || Buffer.byteLength(extension) > EXTENSION_BYTES_MAX)
    return { stem: name, extension: "" };
  return { stem: name.slice(0, dot), extension };
}

/** The longest run of whole characters at the start of `text` that fits. */
function cutToBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}

/** Gives every file of one torrent a path of its own, in the torrent's order. */
export class PathAllocator {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();
  /** Wished folder → the folder it became; the next file in it must land in the same. */
  readonly #folderOf = new Map<string, string>();
  /** Folded wish → the number to try next, so that n equal names cost n steps. */
  readonly #nextNumber = new Map<string, number>();

  /** Throws invalid_torrent where the path is too deep or too long. */
  allocate(components: readonly string[]): SafePath {
    const safe = safeComponents(components);
    let folder = "";
    for (const component of safe.slice(0, -1)) {
      folder = this.#folder(folder, component);
    }
    const path = this.#free(
      folder,
      safe.at(-1) ?? "_",
      (key) => this.#files.has(key) || this.#folders.has(key),
    );
    this.#files.add(folded(path));
    return checkedLength(path);
  }

  #folder(parent: string, name: string): string {
    const wish = parent === "" ? name : `${parent}/${name}`;
    const known = this.#folderOf.get(wish);
    if (known !== undefined) return known;
    const folder = this.#free(parent, name, (key) => this.#files.has(key));
    this.#folderOf.set(wish, folder);
    this.#folders.add(folded(folder));
    return folder;
  }

  #free(folder: string, name: string, isTaken: (key: string) => boolean): string {
    const prefix = folder === "" ? "" : `${folder}/`;
    const wish = folded(prefix + name);
    if (!isTaken(wish)) return prefix + name;
    for (let number = this.#nextNumber.get(wish) ?? 2; ; number++) {
      const candidate = prefix + shortened(name, ` (${number})`);
      if (isTaken(folded(candidate))) continue;
      this.#nextNumber.set(wish, number + 1);
      return candidate;
    }
  }
}

/** A path that need not differ from others: for files that never exist on disk. */
export function safePathOf(components: readonly string[]): SafePath {
  return checkedLength(safeComponents(components).join("/"));
}

function safeComponents(components: readonly string[]): SafePath[] {
  if (components.length > LIMITS.metainfo.pathDepth) {
    throw new TorrxError("invalid_torrent", "A path in this torrent is nested too deeply.");
  }
  return components.length === 0 ? [safeComponent("")] : components.map(safeComponent);
}

function checkedLength(path: string): SafePath {
  if (Buffer.byteLength(path) > LIMITS.metainfo.pathBytes) {
    throw new TorrxError("invalid_torrent", "A path in this torrent is too long.");
  }
  return path as SafePath;
}

/** Equal for names that a case-insensitive file system holds to be one. */
function folded(path: string): string {
  return path.toUpperCase().toLowerCase().normalize("NFC");
}
