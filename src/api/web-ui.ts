// The built web page. Files under /assets carry their hash in the name and never change; index.html is asked for
// anew each time. The page has no addresses of its own besides; whatever else is asked for is a 404, in words for
// people where a browser asks for a page.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { staticPlugin } from "@elysiajs/static";
import { Elysia, NotFoundError } from "elysia";

const FOREVER = { "cache-control": "private, max-age=31536000, immutable" };
const ASK_FIRST = { "cache-control": "private, no-cache" };

/** `folder` is what the build made; without it there is no page and the API stands alone. */
export async function webRoutes(folder: string) {
  const root = resolve(folder);
  const app = new Elysia({ detail: { hide: true } });
  if (!existsSync(join(root, "index.html"))) return app;
  const plain = {
    alwaysStatic: true,
    indexHTML: false,
    etag: false,
    silent: true,
    detail: { hide: true },
  } as const;
  if (existsSync(join(root, "assets"))) {
    app.use(
      await staticPlugin({ ...plain, assets: join(root, "assets"), prefix: "/assets", headers: FOREVER }),
    );
  }
  const isElsewhere = new RegExp(`^${escaped(root)}/(?:assets/|.*\\.html$|(?:.*/)?\\.)`);
  app.use(
    await staticPlugin({
      ...plain,
      assets: root,
      prefix: "",
      headers: ASK_FIRST,
      ignorePatterns: [isElsewhere],
    }),
  );
  return app.get("/", indexAnswer(root)).get("/index.html", indexAnswer(root)).get("/*", missing);
}

function indexAnswer(root: string) {
  const html = readFileSync(join(root, "index.html"));
  const etag = `"${createHash("sha256").update(html).digest("base64url").slice(0, 22)}"`;
  return ({ request }: { request: Request }) => {
    const headers = { ...ASK_FIRST, etag, "content-type": "text/html; charset=utf-8" };
    const isSame = request.headers.get("if-none-match")?.includes(etag) === true;
    return isSame ? new Response(null, { status: 304, headers }) : new Response(html, { headers });
  };
}

const NOTHING_HERE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Not found · TorrX</title>' +
  '<h1>There is nothing at this address</h1><p><a href="/">To the torrents</a></p></html>';

function missing({ request }: { request: Request }): Response {
  const { pathname } = new URL(request.url);
  const isPage = request.headers.get("accept")?.includes("text/html") === true;
  if (!isPage || /^\/(?:api|assets)(?:\/|$)/.test(pathname)) throw new NotFoundError();
  return new Response(NOTHING_HERE, { status: 404, headers: { "content-type": "text/html; charset=utf-8" } });
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
