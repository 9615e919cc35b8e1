// Entry of the engine's Worker: puts the engine together in its own thread.

import { openNative } from "../../native/index.ts";
import { createEngine } from "../engine/index.ts";
import { engineDepsOf } from "./engine-deps.ts";
import { runEngineWorker } from "./run-engine-worker.ts";

runEngineWorker(async ({ config, dhtNodes }, log) => {
  const native = openNative();
  const engine = await createEngine(engineDepsOf({ config, dhtNodes, log, native }));
  return { engine, release: () => native.close() };
});
