// The sockets of the front and what runs on them. When there are too many, the one that has been idle longest makes
// room: a flood of silent connections costs its sender their sockets and nobody else anything.

import type { Socket } from "node:net";
import { LIMITS } from "../base/limits.ts";

export class Connections {
  /** Answers under way by socket, in order of the last change. */
  readonly #active = new Map<Socket, number>();

  get size(): number {
    return this.#active.size;
  }

  admit(socket: Socket): void {
    if (this.#active.size >= LIMITS.http.connections && !this.#dropIdle()) {
      socket.destroy();
      return;
    }
    this.#active.set(socket, 0);
    socket.on("close", () => this.#active.delete(socket));
  }

  /** An answer on `socket` begins (+1) or is over (−1). Returns how many are under way then, or wait for their turn. */
  count(socket: Socket, change: 1 | -1): number {
    const before = this.#active.get(socket);
    if (before === undefined) return 0;
    this.#active.delete(socket);
    this.#active.set(socket, before + change);
    return before + change;
  }

  destroyAll(): void {
    for (const socket of [...this.#active.keys()]) socket.destroy();
  }

  #dropIdle(): boolean {
    for (const [socket, active] of this.#active) {
      if (active > 0) continue;
      this.#active.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }
}
