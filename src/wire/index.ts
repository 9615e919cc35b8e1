// The door of wire: connections to peers, out and in, and the network that they run on.

export { bunPeerNet, createBunPeerNet } from "./bun-net.ts";
export { type DialOptions, dialPeer, type WireDeps } from "./dial.ts";
export { type ListenOptions, listenForPeers } from "./listen.ts";
export type {
  BlockTarget,
  IncomingAcceptor,
  LocalIdentity,
  OpenSocket,
  PeerHandler,
  PeerLink,
  PeerListener,
  PeerNet,
  PeerSocket,
  RemoteExtendedHandshake,
  RemoteHandshake,
  SocketEvents,
} from "./ports.ts";
