// The programs, as those who play may be told of them: where one lies, or why it does not start, is in the warnings and
// the log, which are the owner's. Whoever holds a link reads no path.

import { TorrxError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { MediaProgram, SupervisedPrograms } from "../../media/index.ts";

/** It did not run: that says nothing of the file. */
export class ProgramMissing extends TorrxError {
  constructor(program: MediaProgram["program"], cause: TorrxError) {
    super("unsupported_media", `${program} does not run on this server; its warnings say why.`, { cause });
  }
}

export function toldPrograms(programs: SupervisedPrograms, log: Log): SupervisedPrograms {
  return {
    get pids() {
      return programs.pids;
    },
    check: () => programs.check(),
    killAll: () => programs.killAll(),
    async start(program, options) {
      try {
        return await programs.start(program, options);
      } catch (error) {
        if (!(error instanceof TorrxError) || error.code !== "unsupported_media") throw error;
        log.debug("a program does not start", { why: error.message });
        throw new ProgramMissing(program.program, error);
      }
    },
  };
}
