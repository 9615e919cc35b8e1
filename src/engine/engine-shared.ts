import { AssemblyBudget } from "../store/index.ts";
import { StreamRegistry } from "../stream/demand/index.ts";
import { BanList, type DhtNode, DialGate } from "../swarm/index.ts";
import type { EngineDeps } from "./deps.ts";
import { createPeerId } from "./peer-id.ts";
import { RateLimits } from "./rate-limits.ts";
import type { Shared } from "./shared.ts";

/** The shared parts, with what is only known once the ports are open still to be filled in by the engine. */
export type EngineShared = { -readonly [K in "dht" | "listenPort"]: Shared[K] } & Omit<
  Shared,
  "dht" | "listenPort"
>;

export function createShared(deps: EngineDeps): EngineShared {
  let lastKey = 0;
  const noDht: DhtNode | null = null;
  return {
    deps,
    gate: new DialGate({ clock: deps.clock }),
    bans: new BanList(),
    budget: new AssemblyBudget(deps.options.assemblyBytes),
    limits: new RateLimits(deps.clock),
    streams: new StreamRegistry({ clock: deps.clock }),
    peerId: createPeerId(deps.random),
    dht: noDht,
    listenPort: 0,
    nextKey: () => ++lastKey,
  };
}
