// The application behind the front. Invariant: a request that comes without a verified principal, by whatever way, is
// answered 401 before any route sees it; a link opens the routes that links are for.

import { Elysia } from "elysia";
import { TorrxError } from "../base/errors.ts";
import type { RequestContext } from "../services/access/index.ts";
import { parseBody } from "./body-parser.ts";
import { answerFailure } from "./errors.ts";
import { EventHub } from "./event-hub.ts";
import { openApiDocument } from "./openapi/document.ts";
import { docsPage } from "./openapi/page.ts";
import { partRoutes, playlistRoutes, sessionRoutes } from "./routes/hls.ts";
import { serverRoutes, settingsRoutes } from "./routes/server.ts";
import { streamRoutes } from "./routes/streams.ts";
import { swarmRoutes } from "./routes/swarm.ts";
import { torrentCommands, torrentRoutes } from "./routes/torrents.ts";
import { type ApiServices, Contexts, type RouteServices } from "./services.ts";
import { webRoutes } from "./web-ui.ts";

export interface ApiOptions extends ApiServices {
  /** The web build, or null for none. */
  readonly webFolder: string | null;
}

export interface Api {
  readonly handle: (request: Request, context: RequestContext) => Promise<Response>;
  /** Every route there is. */
  readonly routes: readonly { readonly method: string; readonly path: string }[];
  /** Ends the event streams. */
  close(): void;
}

const HTML = { "content-type": "text/html; charset=utf-8" };
const OPEN_PATH = "/api/health";
/** What a link may open of its torrent, or its file. */
const LINK_PATHS = /^\/api\/(?:torrents\/[0-9a-f]{40}\/playlist\.m3u8$|stream\/[0-9a-f]{40}\/\d+(?:\/|$))/i;

export async function createApp(options: ApiOptions): Promise<Api> {
  const contexts = new Contexts();
  const hub = new EventHub(options);
  const app = await buildApp({ ...options, contexts, hub }, options.webFolder);
  return {
    routes: app.routes.map(({ method, path }) => ({ method, path })),
    close: () => hub.close(),
    async handle(request, context) {
      try {
        checkEntry(new URL(request.url).pathname, context);
        contexts.add(request, context);
        return await app.handle(request);
      } catch (error) {
        return answerFailure(error, options.log);
      }
    },
  };
}

/** Throws unauthorized, forbidden. */
function checkEntry(path: string, { principal }: RequestContext): void {
  if (path === OPEN_PATH) return;
  if (principal === null) throw new TorrxError("unauthorized", "username and password are needed");
  const isRefused = principal.kind === "link" ? !LINK_PATHS.test(path) : principal.kind === "loopback";
  if (isRefused) {
    throw new TorrxError("forbidden", "this link opens something else");
  }
}

async function buildApp(services: RouteServices, webFolder: string | null) {
  const app = new Elysia({ normalize: false })
    .onError(({ error }) => answerFailure(error, services.log))
    .onParse(parseBody)
    .use(torrentRoutes(services))
    .use(torrentCommands(services))
    .use(swarmRoutes(services))
    .use(streamRoutes(services))
    .use(playlistRoutes(services))
    .use(partRoutes(services))
    .use(sessionRoutes(services))
    .use(settingsRoutes(services))
    .use(serverRoutes(services));
  const spec = openApiDocument(app, services.version);
  const page = docsPage(spec);
  app.get("/api/docs/json", () => Response.json(spec), { detail: { hide: true } });
  app.get("/api/docs", () => new Response(page, { headers: HTML }), { detail: { hide: true } });
  return webFolder === null ? app : app.use(await webRoutes(webFolder));
}
