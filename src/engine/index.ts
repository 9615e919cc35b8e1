// The door of the engine for the composition root; services see port.ts only.

export type { EngineDeps, EngineOptions } from "./deps.ts";
export { createEngine } from "./engine.ts";
export type { EnginePort } from "./port.ts";
