// The programs that a server has started, as the system tells of them: which run, how many there ever were at once, and
// what all of it costs.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { systemCodeOf } from "../../src/base/errors.ts";

const MEDIA_PROGRAMS = ["ffmpeg", "ffprobe", "torrx-exec"];
const LOOK_EVERY_MS = 20;
const TICKS_PER_SEC = 100;
const GONE = ["ENOENT", "ESRCH", "EACCES"];

export interface Peak {
  programs: number;
  /** Of them those that read a film for its segments; the others probe it, or try the machine. */
  runs: number;
  rssMib: number;
  /** In the folder of temporary files. */
  tempBytes: number;
}

/** ffmpeg and ffprobe below the process, at any depth; zombies are none. */
export function mediaPrograms(pid: number): number[] {
  return descendants(pid).filter((child) => {
    const stat = read(`/proc/${child}/stat`);
    const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    return MEDIA_PROGRAMS.includes(name) && !["Z", "X"].includes(fieldsOf(child)[0] ?? "Z");
  });
}

function isRun(pid: number): boolean {
  const words = read(`/proc/${pid}/cmdline`).split("\0");
  return words.at(-2) === "pipe:1" && words.some((word) => word.includes("/api/stream/"));
}

/** User and system seconds of a process, of the programs that it has reaped, and of those that still run below it. */
export function cpuSecWithPrograms(pid: number): { readonly server: number; readonly programs: number } {
  const [own, reaped] = cpuOf(pid);
  const live = descendants(pid).reduce((sum, child) => sum + cpuOf(child)[0], 0);
  return { server: own, programs: reaped + live };
}

export function isRunning(pid: number): boolean {
  return !["", "Z", "X"].includes(fieldsOf(pid)[0] ?? "");
}

/** Looks at a server fifty times a second until it is told to stop. */
export class ProgramWatch {
  readonly peak: Peak = { programs: 0, runs: 0, rssMib: 0, tempBytes: 0 };
  readonly #pid: number;
  readonly #tempFolder: string;
  readonly #timer: Timer;

  constructor(pid: number, tempFolder: string) {
    this.#pid = pid;
    this.#tempFolder = tempFolder;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#look();
  }

  stop(): Peak {
    clearInterval(this.#timer);
    this.#look();
    return this.peak;
  }

  #look(): void {
    const programs = mediaPrograms(this.#pid);
    this.peak.programs = Math.max(this.peak.programs, programs.length);
    this.peak.runs = Math.max(this.peak.runs, programs.filter(isRun).length);
    this.peak.tempBytes = Math.max(this.peak.tempBytes, folderBytes(this.#tempFolder));
    const rss = /^VmRSS:\s+(\d+)/m.exec(read(`/proc/${this.#pid}/status`))?.[1] ?? 0;
    this.peak.rssMib = Math.max(this.peak.rssMib, Number(rss) / 1024);
  }
}

/** Of all files below; what vanishes meanwhile counts nothing. */
export function folderBytes(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).reduce((sum, name) => {
      const stat = statSync(join(folder, name), { throwIfNoEntry: false });
      return sum + (stat?.isFile() ? stat.size : 0);
    }, 0);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return 0;
    throw error;
  }
}

function descendants(pid: number): number[] {
  const children = read(`/proc/${pid}/task`, true).flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`).split(" ").filter(Boolean).map(Number),
  );
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Own and reaped children's. */
function cpuOf(pid: number): readonly [number, number] {
  const fields = fieldsOf(pid);
  const sec = (at: number) => Number(fields[at] ?? 0) / TICKS_PER_SEC;
  return [sec(11) + sec(12), sec(13) + sec(14)];
}

/** Those of /proc/PID/stat behind the name, the state first. */
function fieldsOf(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function read(path: string): string;
function read(path: string, isFolder: true): string[];
function read(path: string, isFolder = false): string | string[] {
  try {
    return isFolder ? readdirSync(path) : readFileSync(path, "latin1");
  } catch (error) {
    // It has ended between two looks.
    if (GONE.includes(systemCodeOf(error) ?? "")) return isFolder ? [] : "";
    throw error;
  }
}
