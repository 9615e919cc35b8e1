// A program as it lies on disk: where it is, and which files it needs to run. What is wrong with it is said so that it
// helps the user, who named the path.

import { constants } from "node:fs";
import { access, open, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { describeError, systemCodeOf, TorrxError } from "../../base/errors.ts";
import type { MediaProgram } from "../ports.ts";
import { isSystemLibrary, PROGRAM_FOLDERS } from "./sandbox.ts";

export type ProgramName = MediaProgram["program"];

export interface FoundProgram {
  readonly name: ProgramName;
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** Another one when the file was replaced. */
  readonly identity: string;
}

export interface ProgramFile extends FoundProgram {
  readonly isScript: boolean;
  /** Files that it runs or loads, and folders of such, besides the system's libraries. */
  readonly runnable: readonly string[];
}

/** Longer first lines are none that a kernel reads. */
const FIRST_LINE_BYTES = 256;

/**
 * @param ffmpegPath as configured: a path, or a name to look for on the PATH. ffprobe is what lies beside it.
 * @throws TorrxError("unsupported_media")
 */
export async function findProgram(name: ProgramName, ffmpegPath: string): Promise<FoundProgram> {
  const ffmpeg = ffmpegPath.includes("/") ? resolve(ffmpegPath) : Bun.which(ffmpegPath);
  if (ffmpeg === null) throw unsupported(`${name} was not found: there is no program "${ffmpegPath}"`);
  const places = name === "ffmpeg" ? [ffmpeg] : [...besides(ffmpeg), ...besides(await realPathOf(ffmpeg))];
  let missing: unknown;
  for (const place of places) {
    try {
      return await inspect(name, place);
    } catch (error) {
      if (error instanceof TorrxError) throw error;
      if (!isAbsent(error))
        throw unsupported(`${name} at ${place} cannot be reached: ${describeError(error)}`, error);
      missing ??= unsupported(`${name} was not found at ${place}`, error);
    }
  }
  throw missing;
}

function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(systemCodeOf(error) ?? "");
}

/** "ffprobe7" for "ffmpeg7", else plain. */
function besides(ffmpeg: string): string[] {
  const likeIt = basename(ffmpeg).includes("ffmpeg") ? [basename(ffmpeg).replace("ffmpeg", "ffprobe")] : [];
  return [...likeIt, "ffprobe"].map((name) => join(dirname(ffmpeg), name));
}

async function realPathOf(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}

async function inspect(name: ProgramName, place: string): Promise<FoundProgram> {
  const path = await realpath(place);
  const about = await stat(path);
  if (!about.isFile()) throw unsupported(`${name} at ${path} is not a file`);
  await access(path, constants.X_OK).catch((error: unknown) => {
    throw unsupported(`${name} at ${path} cannot be started: it is not executable for this user`, error);
  });
  return { name, path, identity: [about.dev, about.ino, about.size, about.mtimeMs].join(" ") };
}

/** What the system's loader says that it would load for a program; empty where it does not say. */
export type ListLibraries = (found: FoundProgram) => Promise<string>;

/** What it needs to run. */
export async function withNeeds(found: FoundProgram, list: ListLibraries): Promise<ProgramFile> {
  const interpreter = await interpreterOf(found.path);
  const libraries = await librariesIn(await list(found));
  const scripts = interpreter === null ? [] : [interpreter, ...PROGRAM_FOLDERS];
  return { ...found, isScript: interpreter !== null, runnable: [found.path, ...scripts, ...libraries] };
}

/** What a script's first line names. */
async function interpreterOf(path: string): Promise<string | null> {
  const file = await open(path).catch((error: unknown) => {
    throw unsupported(`${path} cannot be read: ${describeError(error)}`, error);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(FIRST_LINE_BYTES), 0, FIRST_LINE_BYTES, 0);
    const named = /^#![ \t]*(\/[^\s]+)/.exec(buffer.toString("latin1", 0, bytesRead))?.[1];
    return named === undefined ? null : await realPathOf(named);
  } finally {
    await file.close();
  }
}

/** Shared libraries outside of the system's folders, each by itself: its folder may hold anything. */
async function librariesIn(listing: string): Promise<string[]> {
  const named = [...listing.matchAll(/(?:^|\s)(\/\S+) \(0x[0-9a-f]+\)$/gm)];
  const paths = await Promise.all(named.map((match) => realPathOf(match[1] ?? "")));
  return [...new Set(paths)].filter((library) => !isSystemLibrary(library));
}

function unsupported(message: string, cause?: unknown): TorrxError {
  return new TorrxError("unsupported_media", message, { cause });
}
