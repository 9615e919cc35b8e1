import type { InfoHash } from "../base/brand.ts";
import { AssemblyBudget } from "../store/index.ts";
import { StreamRegistry } from "../stream/demand/index.ts";
import type { BufferSizes } from "../stream/ports.ts";
import { BanList, type DhtNode, DialGate } from "../swarm/index.ts";
import type { EngineDeps } from "./deps.ts";
import { createPeerId } from "./peer-id.ts";
import { RateLimits } from "./rate-limits.ts";
import type { Shared } from "./shared.ts";
import { StreamedFiles } from "./streamed-files.ts";

/** The shared parts, with what is only known once the ports are open still to be filled in by the engine. */
export type EngineShared = { -readonly [K in "dht" | "listenPort"]: Shared[K] } & Omit<
  Shared,
  "dht" | "listenPort"
>;

/** `onDemand` is told of every torrent whose streams may want something else than before. */
export function createShared(
  deps: EngineDeps,
  buffer: BufferSizes,
  onDemand: (torrent: InfoHash) => void,
): EngineShared {
  let lastKey = 0;
  const noDht: DhtNode | null = null;
  const streamedFiles: StreamedFiles = new StreamedFiles(() => streams);
  const streams: StreamRegistry = new StreamRegistry({
    clock: deps.clock,
    buffer,
    onChange: (torrent) => {
      streamedFiles.invalidate();
      onDemand(torrent);
    },
  });
  return {
    deps,
    streams,
    streamedFiles,
    gate: new DialGate({ clock: deps.clock }),
    bans: new BanList(),
    budget: new AssemblyBudget(deps.options.assemblyBytes),
    limits: new RateLimits(deps.clock),
    peerId: createPeerId(deps.random),
    dht: noDht,
    listenPort: 0,
    nextKey: () => ++lastKey,
  };
}
