// What a route answers, for the documentation. Never checked while the server runs: the DTOs' types do that.

import { type ErrorCode, statusOf } from "../../base/errors.ts";
import type { ShownDto } from "./dto-schemas.ts";

type Content = ShownDto | "nothing" | "text" | "bytes";

interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, unknown>>;
}

/** `responses` of a route: its successes by status, and the failures that are its own. */
export function answers(
  successes: Readonly<Record<number, Content>>,
  failures: readonly ErrorCode[] = [],
): { readonly responses: never } {
  const responses: Record<string, Answer> = {};
  for (const [status, content] of Object.entries(successes)) responses[status] = successOf(content);
  for (const code of failures) {
    const status = String(statusOf(code));
    const before = responses[status]?.description;
    responses[status] = { ...failure, description: before === undefined ? code : `${before}, ${code}` };
  }
  responses["default"] = { ...failure, description: "Any other failure" };
  // The plugin's type wants every member of OpenAPI spelled out.
  return { responses: responses as never };
}

const failure = { content: { "application/json": { schema: refTo("Error") } } };

function successOf(content: Content): Answer {
  if (content === "nothing") return { description: "Done; no body" };
  if (content === "text")
    return { description: "Text", content: { "text/plain": { schema: { type: "string" } } } };
  if (content === "bytes") return { description: "Bytes; their type is that of the track" };
  return { description: content, content: { "application/json": { schema: refTo(content) } } };
}

function refTo(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}
