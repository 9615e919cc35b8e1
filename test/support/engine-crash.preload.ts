// Loaded into a server before it starts: its engine's Worker gets the entry of crashing-engine.ts where CRASH_KIND says
// so, and SIGUSR2 ends the Worker from outside.

import { Worker } from "node:worker_threads";

if (process.env["CRASH_KIND"] !== undefined) {
  const entry = JSON.stringify(`${import.meta.dir}/crashing-engine.ts`);
  Bun.plugin({
    name: "crashing engine",
    setup(build) {
      build.onLoad({ filter: /src\/server\/build\.ts$/ }, async ({ path }) => {
        const source = await Bun.file(path).text();
        return { contents: source.replace('"./engine-worker.ts"', entry), loader: "ts" };
      });
    },
  });
}

const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (this: Worker, ...args: Parameters<typeof post>) {
  process.removeAllListeners("SIGUSR2");
  process.on("SIGUSR2", () => void this.terminate());
  return post.apply(this, args);
};
