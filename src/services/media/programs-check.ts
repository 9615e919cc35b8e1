// Whether ffmpeg and its sandbox work, tried once beside the start: nothing waits for it but the first session.

import { describeError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { SupervisedPrograms } from "../../media/index.ts";
import type { WarningBoard } from "../warnings.ts";

const CODE = "ffmpeg";

export class ProgramsCheck {
  readonly #programs: Pick<SupervisedPrograms, "check">;
  readonly #warnings: WarningBoard;
  readonly #log: Log;
  #version: Promise<string | null> | null = null;
  #isMissing = false;

  constructor(parts: { programs: Pick<SupervisedPrograms, "check">; warnings: WarningBoard; log: Log }) {
    this.#programs = parts.programs;
    this.#warnings = parts.warnings;
    this.#log = parts.log;
  }

  /** Of ffmpeg; null where it does not run, and then it is tried again when it is asked for next. Never rejects. */
  get version(): Promise<string | null> {
    this.#version ??= this.#check();
    return this.#version;
  }

  /** It was tried and does not run. */
  get isMissing(): boolean {
    return this.#isMissing;
  }

  async #check(): Promise<string | null> {
    try {
      const { version, warnings } = await this.#programs.check();
      if (warnings.length === 0) this.#warnings.clear(CODE);
      else this.#warnings.set({ code: CODE, message: warnings.join(" ") });
      return this.#told(version);
    } catch (error) {
      this.#log.error("ffmpeg was not tried", { error: describeError(error) });
      return this.#told(null);
    }
  }

  #told(version: string | null): string | null {
    this.#isMissing = version === null;
    if (this.#isMissing) this.#version = null;
    return version;
  }
}
