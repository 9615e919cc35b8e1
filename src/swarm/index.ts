// The door of swarm: where peers come from, whom we dial and unchoke, and the metadata they give.

export { isDialable } from "./candidates/address-rules.ts";
export { type BanCause, BanList } from "./candidates/ban-list.ts";
export { CandidateList, type DialFailure, type Disconnection } from "./candidates/candidate-list.ts";
export { DialGate, type DialTicket } from "./candidates/dial-gate.ts";
export { Choker } from "./choker/choker.ts";
export type { ChokeCandidate } from "./choker/choose-unchoked.ts";
export { createDht, type DhtNode } from "./dht/dht-node.ts";
export { fetchTorrentUrl } from "./egress/fetch-torrent-url.ts";
export { nodeHttpGet } from "./egress/node-http-get.ts";
export { systemDns } from "./egress/system-dns.ts";
export { MetadataFetch } from "./metadata/metadata-fetch.ts";
export { MetadataServe } from "./metadata/metadata-serve.ts";
export type * from "./ports.ts";
export { createTrackerClient, type TrackerClient } from "./trackers/tracker-client.ts";
export { TrackerList } from "./trackers/tracker-list.ts";
export { publicUrl } from "./trackers/tracker-secrets.ts";
export { bunUdpNet } from "./udp-net.ts";
