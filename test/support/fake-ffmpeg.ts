// A program that stands for ffmpeg (and, beside it, ffprobe): the first argument says how it behaves, see
// fake-ffmpeg.cc. Compiled once for a test run.

import { linkSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../native/compile.ts";
import { EXEC_PATH } from "../../native/exec-path.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import {
  createMediaPrograms,
  type MediaProgramsOptions,
  type SupervisedPrograms,
} from "../../src/media/process/media-programs.ts";
import { tmpFolder } from "./tmp.ts";

let compiled: Promise<string> | undefined;

/** Path of the program. */
export function fakeFfmpeg(): Promise<string> {
  compiled ??= compileIt();
  return compiled;
}

async function compileIt(): Promise<string> {
  const folder = tmpFolder("fake-ffmpeg");
  const output = join(folder, "ffmpeg");
  const sources = [join(import.meta.dir, "fake-ffmpeg.cc")];
  const remarks = await compile({ kind: "program", sources, output });
  if (remarks !== "") throw new Error(remarks);
  linkSync(output, join(folder, "ffprobe"));
  return output;
}

export interface TestPrograms extends SupervisedPrograms, AsyncDisposable {}

/** The real thing around the fake one, or around what `options` name. */
export async function testPrograms(options: Partial<MediaProgramsOptions> = {}): Promise<TestPrograms> {
  const programs = createMediaPrograms({
    execPath: EXEC_PATH,
    ffmpegPath: options.ffmpegPath ?? (await fakeFfmpeg()),
    log: silentLog,
    clock: systemClock,
    loopbackPort: () => null,
    ...options,
  });
  return Object.assign(programs, { [Symbol.asyncDispose]: () => programs.killAll() });
}

/** All that it prints before it ends. */
export async function outputOf(programs: SupervisedPrograms, argv: readonly string[]): Promise<string> {
  const program = await programs.start({ program: "ffmpeg", argv }, { isEncode: false });
  const text = await new Response(program.stdout).text();
  await program.exited;
  return text;
}
