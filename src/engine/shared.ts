// What all torrents of the engine share: bounds on connections, bans, memory for pieces in the making, rate limits,
// the DHT node, the listening port.

import type { AssemblyBudget } from "../store/index.ts";
import type { StreamRegistry } from "../stream/demand/index.ts";
import type { BanList, DhtNode, DialGate } from "../swarm/index.ts";
import type { EngineDeps } from "./deps.ts";
import type { RateLimits } from "./rate-limits.ts";
import type { StreamedFiles } from "./streamed-files.ts";

export interface Shared {
  readonly deps: EngineDeps;
  readonly gate: DialGate;
  readonly bans: BanList;
  readonly budget: AssemblyBudget;
  readonly limits: RateLimits;
  readonly streams: StreamRegistry;
  readonly streamedFiles: StreamedFiles;
  readonly peerId: Uint8Array;
  readonly dht: DhtNode | null;
  readonly listenPort: number;
  /** A number that no other peer of this process has. */
  nextKey(): number;
}
