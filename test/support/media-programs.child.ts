// A stand-in for the server, to be killed: starts programs as its first argument says (JSON), prints their pids, and
// lives until somebody ends it. On the main thread, or with "worker" behind it on one of another.

import { Worker } from "node:worker_threads";
import { testPrograms } from "./fake-ffmpeg.ts";

export interface ToStart {
  readonly ffmpegPath: string;
  readonly port: number;
  /** Arguments of each program. */
  readonly argvs: readonly (readonly string[])[];
}

const [words = "{}", where = "main"] = process.argv.slice(2);

if (where === "worker") {
  const worker = new Worker(import.meta.path, { argv: [words, "main"] });
  process.stdin.once("data", () => void worker.terminate());
} else {
  const { ffmpegPath, port, argvs } = JSON.parse(words) as ToStart;
  const programs = await testPrograms({ ffmpegPath, loopbackPort: () => port });
  for (const argv of argvs) {
    const { pid, stdout } = await programs.start({ program: "ffmpeg", argv }, { isEncode: false });
    const first = stdout.getReader().read();
    process.stdout.write(`${pid}\n`);
    void first.then(() => process.stdout.write("written\n"));
  }
  process.stdout.write("all\n");
  setInterval(() => undefined, 1_000);
}
