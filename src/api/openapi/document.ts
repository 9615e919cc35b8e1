// The OpenAPI document of the app: paths and parameters as the plugin reads them from the routes, bodies and answers as
// a reader wants them.

import { toOpenAPISchema } from "@elysiajs/openapi";
import type { AnyElysia } from "elysia";
import { answers } from "./answers.ts";
import { DTO_SCHEMAS } from "./dto-schemas.ts";
import { hasFiles, type JsonSchema, shownSchema, withoutFiles } from "./json-schema.ts";

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema; readonly example?: unknown }>>;

export interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses?: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
  readonly security?: readonly unknown[];
}

export interface Spec {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

const DESCRIPTION =
  "Torrent streaming server. Every route but /api/health needs HTTP Basic credentials, or a link's token where the " +
  "route takes one. Sizes are bytes, speeds bytes/s, times ISO 8601 in UTC, shares 0 to 1. Every failure answers " +
  'with {"error":{"code","message"}}; busy and rate_limited carry Retry-After in seconds.';

/** The byte path is the front's, no route of the app. */
const STREAM_PATH: Operation = {
  tags: ["streams"],
  summary: "The file: its bytes, with ranges, or HLS while it is incomplete",
  description:
    "mode=auto: a complete file goes out as bytes; an incomplete video or audio file goes out as an HLS master playlist, " +
    "but as bytes to players that read containers themselves (VLC, mpv, Kodi …, by their User-Agent) and to clients " +
    "whose Accept excludes application/vnd.apple.mpegurl. mode=direct: always bytes. mode=hls: always the playlist.",
  parameters: [
    { name: "id", in: "path", required: true, schema: { type: "string", description: "Info hash" } },
    {
      name: "file",
      in: "path",
      required: true,
      schema: { type: "integer", description: "Index of the file" },
    },
    {
      name: "mode",
      in: "query",
      schema: {
        type: "string",
        enum: ["auto", "direct", "hls"],
        description: "How to deliver; auto unless told",
      },
    },
    {
      name: "audio",
      in: "query",
      schema: { type: "integer", description: "HLS: the audio track that plays first, from 0" },
    },
    { name: "token", in: "query", schema: { type: "string", description: "A link's right" } },
  ],
  responses: {
    200: { description: "The whole file, or the playlist (application/vnd.apple.mpegurl)" },
    206: { description: "The range asked for" },
    ...(answers({}, ["forbidden", "not_found", "not_ready", "range_not_satisfiable", "busy"])
      .responses as object),
  },
};

const NAMED_STREAM_PATH: Operation = {
  ...STREAM_PATH,
  summary: "The same; the name is decoration for players that show it",
  parameters: [
    ...(STREAM_PATH.parameters ?? []),
    { name: "name", in: "path", required: true, schema: { type: "string", description: "Any one" } },
  ],
};

export function openApiDocument(app: AnyElysia, version: string): Spec & { readonly openapi: string } {
  // A dot in a path makes no static file of it; those hide themselves.
  const found = toOpenAPISchema(app, { staticFile: false }).paths as unknown as Spec["paths"];
  const inputs = inputsOf(app);
  const paths: Record<string, Record<string, Operation>> = {
    "/api/stream/{id}/{file}": { get: STREAM_PATH },
    "/api/stream/{id}/{file}/{name}": { get: NAMED_STREAM_PATH },
  };
  for (const [path, operations] of Object.entries(found)) {
    paths[path] = Object.fromEntries(
      Object.entries(operations).map(([method, operation]) => {
        return [method, completed(operation, inputs.get(`${method} ${path}`) ?? {})];
      }),
    );
  }
  return {
    openapi: "3.1.0",
    info: { title: "TorrX", version, description: DESCRIPTION },
    ...{ security: [{ basic: [] }] },
    paths,
    components: {
      schemas: DTO_SCHEMAS,
      ...{ securitySchemes: { basic: { type: "http", scheme: "basic" } } },
    },
  };
}

/** What a route checks. */
interface Input {
  readonly body?: JsonSchema;
  readonly query?: JsonSchema;
}

/** By method and path, in OpenAPI's spelling. */
function inputsOf(app: AnyElysia): ReadonlyMap<string, Input> {
  const inputs = new Map<string, Input>();
  for (const { method, path, hooks } of app.routes) {
    const name = `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`;
    inputs.set(name, hooks as Input);
  }
  return inputs;
}

/** The plugin's parameters lose the words of those that are one of several values. */
function completed(operation: Operation, { body, query }: Input): Operation {
  const { requestBody: _, parameters, ...rest } = operation;
  return {
    ...rest,
    ...(parameters !== undefined && {
      parameters: parameters.map((one) => {
        const own = one.in === "query" ? query?.properties?.[one.name] : undefined;
        return { ...one, schema: shownSchema(own ?? one.schema) };
      }),
    }),
    ...(body !== undefined && { requestBody: { required: true, content: contentOf(shownSchema(body)) } }),
  };
}

function contentOf({ example, ...schema }: JsonSchema): Content {
  const json = { schema: withoutFiles(schema), ...(example !== undefined && { example }) };
  return { "application/json": json, ...(hasFiles(schema) && { "multipart/form-data": { schema } }) };
}
