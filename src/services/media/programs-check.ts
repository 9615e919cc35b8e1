// Whether ffmpeg and its sandbox work, tried once beside the start: nothing waits for it but the first session.

import { describeError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { SupervisedPrograms } from "../../media/index.ts";
import type { WarningBoard } from "../warnings.ts";

export class ProgramsCheck {
  readonly #programs: Pick<SupervisedPrograms, "check">;
  readonly #warnings: WarningBoard;
  readonly #log: Log;
  #version: Promise<string | null> | null = null;

  constructor(parts: { programs: Pick<SupervisedPrograms, "check">; warnings: WarningBoard; log: Log }) {
    this.#programs = parts.programs;
    this.#warnings = parts.warnings;
    this.#log = parts.log;
  }

  /** Of ffmpeg; null where it does not run. Never rejects. */
  get version(): Promise<string | null> {
    this.#version ??= this.#check();
    return this.#version;
  }

  async #check(): Promise<string | null> {
    try {
      const { version, warnings } = await this.#programs.check();
      const message = warnings.join(" ");
      if (message !== "") this.#warnings.set({ code: "ffmpeg", message });
      return version;
    } catch (error) {
      this.#log.error("ffmpeg was not tried", { error: describeError(error) });
      return null;
    }
  }
}
