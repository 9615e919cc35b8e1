// Programs that do what a test says: write, end, or hang until they are killed.

import type { MediaExit, MediaProcess, MediaProgram, MediaPrograms } from "../../../../src/media/ports.ts";

export interface Script {
  readonly writes?: readonly (string | Uint8Array)[];
  readonly code?: number;
  readonly stderr?: string;
  /** Writes and then neither ends nor closes its output. */
  readonly hangs?: boolean;
}

export class ScriptedPrograms implements MediaPrograms {
  readonly started: MediaProgram[] = [];
  kills = 0;
  readonly #script: (program: MediaProgram) => Script;

  constructor(script: Script | ((program: MediaProgram) => Script)) {
    this.#script = typeof script === "function" ? script : () => script;
  }

  start(program: MediaProgram): Promise<MediaProcess> {
    this.started.push(program);
    return Promise.resolve(this.#run(this.#script(program)));
  }

  #run(script: Script): MediaProcess {
    const ended = Promise.withResolvers<MediaExit>();
    const stderr = script.stderr ?? "";
    let closeOutput: (() => void) | undefined;
    const stdout = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of script.writes ?? []) {
          controller.enqueue(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
        }
        if (script.hangs === true) {
          closeOutput = () => controller.close();
          return;
        }
        controller.close();
        ended.resolve({ code: script.code ?? 0, signal: null, isKilled: false, stderr });
      },
    });
    const kill = async () => {
      this.kills++;
      closeOutput?.();
      closeOutput = undefined;
      ended.resolve({ code: null, signal: "SIGTERM", isKilled: true, stderr });
      await ended.promise;
    };
    return { pid: 1, stdout, exited: ended.promise, kill };
  }
}
