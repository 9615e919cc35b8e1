// The built web page. Files under /assets carry their hash in the name and never change; index.html is asked for
// anew each time and answers every address that the page's own router knows. A missing asset is a 404: handing out
// the index instead would be run as a script.

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
  return app.get("/", indexAnswer(root)).get("/*", indexAnswer(root));
}

function indexAnswer(root: string) {
  const html = readFileSync(join(root, "index.html"));
  const etag = `"${createHash("sha256").update(html).digest("base64url").slice(0, 22)}"`;
  return ({ request }: { request: Request }) => {
    const { pathname } = new URL(request.url);
    if (!isPageAddress(pathname)) throw new NotFoundError();
    const headers = { ...ASK_FIRST, etag, "content-type": "text/html; charset=utf-8" };
    const isSame = request.headers.get("if-none-match")?.includes(etag) === true;
    return isSame ? new Response(null, { status: 304, headers }) : new Response(html, { headers });
  };
}

/** Plain words only: a part with a dot is a file that is not there, and the page's own addresses need no escapes. */
function isPageAddress(pathname: string): boolean {
  if (pathname === "/index.html") return true;
  return /^[\w/-]*$/.test(pathname) && !/^\/(?:api|assets)(?:\/|$)/.test(pathname);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
