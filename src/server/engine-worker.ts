// Entry of the engine's Worker: puts the engine together in its own thread.

import { createEngine } from "../engine/index.ts";
import { engineDepsOf } from "./engine-deps.ts";
import { runEngineWorker } from "./run-engine-worker.ts";

runEngineWorker(({ config, dhtNodes }, log) => createEngine(engineDepsOf({ config, dhtNodes, log })));
