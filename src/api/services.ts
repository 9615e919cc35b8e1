// What the routes are given. Contexts says who asks: the front has proved it and handed it over beside the Request.

import type { Clock } from "../base/clock.ts";
import { TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { AccessService, RequestContext } from "../services/access/index.ts";
import type { MediaService } from "../services/media/index.ts";
import type {
  LiveEvents,
  SettingsService,
  StatusService,
  StreamsService,
  TorrentsService,
} from "../services/ports.ts";
import type { EventHub } from "./event-hub.ts";

export interface ApiServices {
  readonly torrents: TorrentsService;
  readonly settings: SettingsService;
  readonly streams: StreamsService;
  readonly media: MediaService;
  readonly status: StatusService;
  readonly live: LiveEvents;
  readonly access: AccessService;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
}

/** Requests under way and who sent them. A request that is not in it was sent by nobody. */
export class Contexts {
  readonly #contexts = new WeakMap<Request, RequestContext>();

  add(request: Request, context: RequestContext): void {
    this.#contexts.set(request, context);
  }

  /** Throws unauthorized. */
  of(request: Request): RequestContext & { readonly principal: NonNullable<RequestContext["principal"]> } {
    const context = this.#contexts.get(request);
    if (context === undefined || context.principal === null) {
      throw new TorrxError("unauthorized", "username and password are needed");
    }
    return { ...context, principal: context.principal };
  }
}

export interface RouteServices extends ApiServices {
  readonly contexts: Contexts;
  readonly hub: EventHub;
}
