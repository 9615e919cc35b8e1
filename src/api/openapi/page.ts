// The OpenAPI document as one plain page. The usual viewers load their scripts from the network, which neither the
// policy nor an offline house allows.

import type { Operation, Parameter, Spec } from "./document.ts";
import type { JsonSchema } from "./json-schema.ts";

interface Field {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

export function docsPage(spec: Spec): string {
  const { title, version, description } = spec.info;
  const heading = `${escaped(title)} API ${escaped(version)}`;
  const operations = Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationHtml(method, path, operation)),
  );
  const schemas = Object.entries(spec.components.schemas).map(
    ([name, schema]) => `<h3 id="${escaped(name)}">${escaped(name)}</h3>${fieldsTable(fieldsOf(schema))}`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${heading}</title><h1>${heading}</h1>
<p>${escaped(description)}</p><p>Machine-readable: <a href="/api/docs/json">OpenAPI document</a></p>
<p>The examples stand for a server on this machine; curl asks for the password. $ID is a torrent's id, $FILE the index
of one of its files.</p>
<h2>Operations</h2>
${operations.join("\n")}
<h2>What comes back</h2>
${schemas.join("\n")}</html>`;
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const { summary = "", parameters = [], requestBody, responses = {} } = operation;
  const contents = Object.entries(requestBody?.content ?? {});
  const bodies = contents.map(
    ([type, { schema }]) => `<p>Body, ${escaped(type)}:</p>${fieldsTable(fieldsOf(schema))}`,
  );
  const outcomes = Object.entries(responses).map(
    ([status, { description, content }]) =>
      `<li>${escaped(status)}: ${escaped(description)}${linkTo(Object.values(content ?? {})[0]?.schema)}</li>`,
  );
  const fields = parameters.map(({ name, schema, required }) => ({
    name,
    schema,
    isRequired: required === true,
  }));
  return `<h3>${escaped(method.toUpperCase())} <code>${escaped(path)}</code></h3><p>${escaped(summary)}</p>
${fields.length === 0 ? "" : `<p>Parameters:</p>${fieldsTable(fields)}`}${bodies.join("")}
${outcomes.length === 0 ? "" : `<p>Answers:</p><ul>${outcomes.join("")}</ul>`}
<pre>${curlLines(method, path, operation).map(escaped).join("\n")}</pre>`;
}

function curlLines(method: string, path: string, operation: Operation): string[] {
  const query = method === "get" ? queryOf(operation.parameters ?? []) : "";
  const address = `"localhost:8080${pathWith(path)}${query}"`;
  const login = operation.security?.length === 0 ? "" : " -u admin";
  const verb = method === "get" ? "" : ` -X ${method.toUpperCase()}`;
  const start = `curl${login}${verb}`;
  const contents = Object.entries(operation.requestBody?.content ?? {});
  if (contents.length === 0) return [`${start} ${address}`];
  return contents.map(([type, { example, schema }]) => {
    if (type !== "multipart/form-data") {
      return `${start} -H 'content-type: ${type}' -d '${JSON.stringify(example ?? {})}' ${address}`;
    }
    const file = fieldsOf(schema).find((field) => field.schema.format === "binary")?.name ?? "file";
    return `${start} -F ${file}=@film.torrent ${address}`;
  });
}

function pathWith(path: string): string {
  return path.replace("{id}", "$ID").replace("{file}", "$FILE");
}

/** One parameter shows how; what is asked for with its first allowed value. */
function queryOf(parameters: readonly Parameter[]): string {
  const shown = parameters.find((one) => one.in === "query" && one.schema.enum !== undefined);
  return shown === undefined ? "" : `?${shown.name}=${String(shown.schema.enum?.[0])}`;
}

function fieldsOf(schema: JsonSchema): Field[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, one]) => ({
    name,
    schema: one,
    isRequired: required.has(name),
  }));
}

function fieldsTable(fields: readonly Field[]): string {
  return `<table><tr><th>Field<th>Type<th>Allowed<th>Meaning${fields.flatMap((field) => rowsOf(field)).join("")}</table>`;
}

/** The field and, under its name, those inside it. */
function rowsOf({ name, schema, isRequired }: Field): string[] {
  const mark = isRequired ? "" : " (optional)";
  const allowed = schema["x-allowed"] ?? schema.enum?.join(", ") ?? "";
  const row = `<tr><td><code>${escaped(name)}</code>${mark}<td>${typeHtml(schema)}<td>${escaped(allowed)}<td>${escaped(schema.description ?? "")}`;
  const isList = schema.items !== undefined;
  const inner = schema.items ?? schema.anyOf?.find((one) => one.properties !== undefined) ?? schema;
  const below = fieldsOf(inner).map((field) => ({
    ...field,
    name: `${name}${isList ? "[]" : ""}.${field.name}`,
  }));
  return [row, ...below.flatMap((field) => rowsOf(field))];
}

function typeHtml(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return linkTo(schema).trim();
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeHtml).join(" or ");
  if (schema.items !== undefined) return `list of ${typeHtml(schema.items)}`;
  if (schema.format === "binary") return "file";
  return escaped(schema.type ?? "any");
}

function linkTo(schema: JsonSchema | undefined): string {
  const name = schema?.$ref?.split("/").at(-1);
  return name === undefined ? "" : ` <a href="#${escaped(name)}">${escaped(name)}</a>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
