// The part of the package's public API that control-wire.ts uses; the package carries no types of its own.

declare module "bittorrent-protocol" {
  interface WireExtensionFlags {
    readonly dht: boolean;
    readonly fast: boolean;
    readonly extended: boolean;
  }

  interface WireEvents {
    open: [];
    error: [error: Error];
    handshake: [infoHash: string, peerId: string, flags: WireExtensionFlags];
    "keep-alive": [];
    choke: [];
    unchoke: [];
    interested: [];
    uninterested: [];
    have: [piece: number];
    bitfield: [bits: { readonly buffer: Uint8Array }];
    "have-all": [];
    "have-none": [];
    "allowed-fast": [piece: number];
    port: [port: number];
  }

  interface WireExtension {
    readonly name: string;
  }

  class Wire {
    constructor(type: string);
    /** Sent after the handshake; the names of `use` are added under "m". */
    extendedHandshake: Record<string, number | string | Uint8Array>;
    on<K extends keyof WireEvents>(event: K, listener: (...args: WireEvents[K]) => void): this;
    use(extension: { new (wire: Wire): object; readonly prototype: WireExtension }): void;
    write(bytes: Uint8Array): boolean;
    read(): Uint8Array | null;
    handshake(infoHash: Uint8Array, peerId: Uint8Array, flags: { dht: boolean; fast: boolean }): void;
    keepAlive(): void;
    choke(): void;
    unchoke(): void;
    interested(): void;
    uninterested(): void;
    bitfield(bits: Uint8Array): void;
    haveAll(): void;
    haveNone(): void;
    allowedFast(piece: number): void;
    port(port: number): void;
    extended(id: number, payload: Uint8Array): void;
    destroy(): void;
  }

  // biome-ignore lint/style/noDefaultExport: that is how the package exports it.
  export { Wire as default };
}
