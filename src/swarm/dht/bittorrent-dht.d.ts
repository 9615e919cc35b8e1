// bittorrent-dht ships no types: the part of version 11 that the DHT node uses.
declare module "bittorrent-dht" {
  import type { EventEmitter } from "node:events";

  export interface DhtOptions {
    /** Own id, 20 bytes. */
    nodeId: Buffer;
    /** false: it asks nobody by itself. */
    bootstrap: false;
    /** Takes the place of a dgram socket: EventEmitter with bind, send, address and close. */
    socket: EventEmitter;
    /** Milliseconds that a stored announce is told to others. */
    maxAge: number;
    maxPeers: number;
  }

  interface NodeAddress {
    host: string;
    port: number;
  }

  class DHT extends EventEmitter {
    constructor(options: DhtOptions);
    readonly nodeId: Buffer;
    readonly nodes: { count(): number };
    listen(port: number): void;
    /** Pings the node and keeps it when it answers. */
    addNode(node: NodeAddress): void;
    /** Emits "peer" (NodeAddress, infoHash: Buffer) for each find; returns a function that ends it. */
    lookup(infoHash: Buffer, onDone: (error: Error | null) => void): () => void;
    announce(infoHash: Buffer, port: number, onDone: (error: Error | null) => void): void;
    toJSON(): { nodes: NodeAddress[] };
    destroy(onDone: () => void): void;
  }

  // biome-ignore lint/style/noDefaultExport: that is what the package exports
  export { DHT as default };
}
