// OpenAPI of the routes, and a page that shows it. The page is ours: the usual ones load their scripts from the
// network, which neither the policy nor an offline house allows.

import { openapi } from "@elysiajs/openapi";
import { Elysia } from "elysia";

const STREAM_PARAMETERS = [
  { name: "id", in: "path", required: true, schema: { type: "string", pattern: "^[0-9A-Fa-f]{40}$" } },
  { name: "file", in: "path", required: true, schema: { type: "integer", minimum: 0 } },
  { name: "mode", in: "query", schema: { type: "string", enum: ["auto", "direct"] } },
  { name: "token", in: "query", schema: { type: "string" } },
] as const;

/** The byte path is the front's, no route of the app. */
const STREAM_PATH = {
  get: {
    tags: ["streams"],
    summary: "The bytes of a file, with ranges; a name may follow as decoration",
    parameters: [...STREAM_PARAMETERS],
    responses: { 200: { description: "The whole file" }, 206: { description: "The range asked for" } },
  },
} as const;

export function docsRoutes(version: string) {
  return new Elysia().use(
    openapi({
      path: "/api/docs",
      specPath: "/api/docs/json",
      provider: null,
      // A dot in a path makes no static file of it; those hide themselves.
      exclude: { staticFile: false },
      documentation: {
        info: { title: "TorrX", version, description: "Torrent streaming server" },
        components: { securitySchemes: { basic: { type: "http", scheme: "basic" } } },
        security: [{ basic: [] }],
        paths: { "/api/stream/{id}/{file}": STREAM_PATH } as never,
      },
    }),
  );
}

export interface Spec {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly summary?: string }>>>>;
}

/** The operations of an OpenAPI document as one plain page. */
export function docsPage(spec: Spec): string {
  const rows = Object.entries(spec.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(
      ([method, { summary = "" }]) =>
        `<tr><td>${escaped(method.toUpperCase())}<td><code>${escaped(path)}</code><td>${escaped(summary)}`,
    ),
  );
  const title = `${escaped(spec.info.title)} API ${escaped(spec.info.version)}`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>
<p>Machine-readable: <a href="/api/docs/json">OpenAPI document</a></p><table>${rows.join("\n")}</table></html>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
