// Entry of the engine's Worker: puts the engine together in its own thread.

import { createEngine } from "../engine/index.ts";
import { engineDepsOf } from "./engine-deps.ts";
import { openNativeThread } from "./native-thread.ts";
import { runEngineWorker } from "./run-engine-worker.ts";

runEngineWorker(async ({ config, dhtNodes }, log) => {
  const native = openNativeThread();
  const engine = await createEngine(engineDepsOf({ config, dhtNodes, log, native }));
  return { engine, release: () => native.close() };
});
