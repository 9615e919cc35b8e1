// Where the DHT is entered: configured routers ("host:port", names resolved anew at each try, for at the first there
// may be no network yet) and nodes saved by an earlier run, a few at a time.

import type { PeerAddress } from "../../base/address.ts";
import { describeError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { type Random, shuffled } from "../../base/random.ts";
import type { Dns } from "../ports.ts";
import { isNodeAddress, scopeOf } from "./node-address.ts";

const DEFAULT_PORT = 6881;
/** Each try asks this many saved nodes: enough that one lives, few enough not to fill the line with the dead. */
const SAVED_PER_TRY = 24;

export interface BootstrapOptions {
  readonly routers: readonly string[];
  readonly savedNodes: readonly PeerAddress[];
  readonly dns: Dns | undefined;
  readonly random: Random;
  readonly log: Log;
}

export class Bootstrap {
  readonly #options: BootstrapOptions;
  readonly #saved: readonly PeerAddress[];
  #tries = 0;

  constructor(options: BootstrapOptions) {
    this.#options = options;
    this.#saved = shuffled(options.savedNodes.filter(isNodeAddress), options.random);
  }

  /** The saved nodes of the next try; all have had their turn before one comes again. */
  nextSaved(): PeerAddress[] {
    const slices = Math.max(1, Math.ceil(this.#saved.length / SAVED_PER_TRY));
    const first = (this.#tries++ % slices) * SAVED_PER_TRY;
    return this.#saved.slice(first, first + SAVED_PER_TRY);
  }

  /** Addresses of the routers, as far as they resolve now. */
  async routers(): Promise<PeerAddress[]> {
    const found = await Promise.all(this.#options.routers.map((router) => this.#resolved(router)));
    return found.flat().filter(isNodeAddress);
  }

  async #resolved(router: string): Promise<PeerAddress[]> {
    const colon = router.lastIndexOf(":");
    const host = colon < 0 ? router : router.slice(0, colon);
    const port = colon < 0 ? DEFAULT_PORT : Number(router.slice(colon + 1));
    if (scopeOf(host) !== null) return [{ host, port }];
    try {
      const hosts = (await this.#options.dns?.resolve(host)) ?? [];
      return hosts.map((address) => ({ host: address, port }));
    } catch (error) {
      this.#options.log.debug("a DHT router does not resolve", { error: describeError(error) });
      return [];
    }
  }
}
