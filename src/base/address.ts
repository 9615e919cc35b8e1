/** An IP endpoint of a peer: a literal v4 or v6 address (never a name) and a port 1 … 65535. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** One spelling per endpoint, usable as a map key. */
export function addressKey(address: PeerAddress): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
