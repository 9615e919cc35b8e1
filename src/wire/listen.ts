// Incoming connections. A stranger costs a socket and a few hundred bytes until it has named a torrent of ours, and
// only so many strangers may wait at once, in all and from one address (ENGINE §5, slowloris).

import { LIMITS } from "../base/limits.ts";
import type { WireDeps } from "./dial.ts";
import { Link } from "./peer-link.ts";
import type { IncomingAcceptor, OpenSocket, PeerListener } from "./ports.ts";

export interface ListenOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly acceptor: IncomingAcceptor;
}

/** Rejects with TorrxError start_failed when the port cannot be had. `close` leaves accepted links alone. */
export async function listenForPeers(deps: WireDeps, options: ListenOptions): Promise<PeerListener> {
  const lobby = new Lobby();
  const listener = await deps.net.listen({ host: options.host, port: options.port }, (socket) =>
    receive(deps, { socket, lobby, acceptor: options.acceptor }),
  );
  return {
    port: listener.port,
    close: () => {
      listener.close();
      lobby.close();
    },
  };
}

interface Arrival {
  readonly socket: OpenSocket;
  readonly lobby: Lobby;
  readonly acceptor: IncomingAcceptor;
}

function receive(deps: WireDeps, { socket, lobby, acceptor }: Arrival): void {
  if (!lobby.hasRoomFor(socket.remote.host)) {
    deps.log.debug("too many connections without a handshake");
    socket.destroy();
    return;
  }
  const link: Link = new Link(deps, socket, {
    isIncoming: true,
    connectMs: null,
    accept: (infoHash, of) => acceptor.accept(infoHash, of),
    onSettled: () => lobby.leave(link),
  });
  lobby.enter(link);
  socket.start(link.socketEvents());
}

/** Connections that have not shaken hands. */
class Lobby {
  readonly #waiting = new Set<Link>();
  readonly #byHost = new Map<string, number>();

  hasRoomFor(host: string): boolean {
    const ofHost = this.#byHost.get(host) ?? 0;
    return this.#waiting.size < LIMITS.peer.pendingIncoming && ofHost < LIMITS.peer.pendingIncomingPerHost;
  }

  enter(link: Link): void {
    this.#waiting.add(link);
    this.#byHost.set(link.remote.host, (this.#byHost.get(link.remote.host) ?? 0) + 1);
  }

  /** Does nothing the second time. */
  leave(link: Link): void {
    if (!this.#waiting.delete(link)) return;
    const left = (this.#byHost.get(link.remote.host) ?? 1) - 1;
    if (left === 0) this.#byHost.delete(link.remote.host);
    else this.#byHost.set(link.remote.host, left);
  }

  close(): void {
    for (const link of [...this.#waiting]) link.close("closed");
  }
}
