// Entry of an engine's Worker for tests: the real engine, except that a re-announce breaks it in the way that
// CRASH_KIND names.

import { openNative } from "../../native/index.ts";
import type { Log } from "../../src/base/log.ts";
import { createEngine, type EnginePort } from "../../src/engine/index.ts";
import { engineDepsOf } from "../../src/server/engine-deps.ts";
import { runEngineWorker } from "../../src/server/run-engine-worker.ts";

const CRASHES: Readonly<Record<string, () => void>> = {
  throw: () => {
    setImmediate(() => {
      throw new Error("a broken invariant", { cause: new Error("its deeper reason") });
    });
  },
  reject: () => void Promise.reject(new Error("a broken promise")),
  text: () => {
    setImmediate(() => {
      throw "a thrown text";
    });
  },
  exit: () => process.exit(7),
  hang: () => {
    for (;;);
  },
};

if (process.env["CRASH_KIND"] === "load") throw new Error("broken while it loads");

runEngineWorker(async ({ config, dhtNodes }, log) => {
  if (process.env["CRASH_KIND"] === "start") {
    setImmediate(() => {
      throw new Error("broken while it starts");
    });
    await new Promise(() => undefined);
  }
  const native = openNative();
  const engine = await createEngine(engineDepsOf({ config, dhtNodes, log, native }));
  return { engine: crashing(engine, log), release: () => native.close() };
});

function crashing(engine: EnginePort, log: Log): EnginePort {
  return new Proxy(engine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      if (name !== "reannounce") return value.bind(target) as unknown;
      return () => {
        for (let n = 0; n < 20; n++) log.warn(`last words ${n}`);
        CRASHES[process.env["CRASH_KIND"] ?? ""]?.();
        return Promise.resolve();
      };
    },
  });
}
