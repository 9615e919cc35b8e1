// From the schemas that are checked to the JSON Schema that is shown. Elysia takes numbers and lists as text as well,
// for forms; that is how it reads them, not what they are, and is left out.

export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly example?: unknown;
  readonly $ref?: string;
  /** Completes "field must be …". */
  readonly "x-allowed"?: string;
}

/** What a reader needs of a schema that is checked. */
export function shownSchema(schema: JsonSchema): JsonSchema {
  const { anyOf, default: _, ...own } = schema as JsonSchema & { default?: unknown };
  if (anyOf !== undefined) return { ...words(own), ...shownUnion(anyOf) };
  return {
    ...own,
    ...(own.items !== undefined && { items: shownSchema(own.items) }),
    ...(own.properties !== undefined && { properties: mapped(own.properties) }),
  };
}

/** Of the body as JSON: without what only a form can carry. */
export function withoutFiles(schema: JsonSchema): JsonSchema {
  const entries = Object.entries(schema.properties ?? {}).filter(([, { format }]) => format !== "binary");
  return { ...schema, properties: Object.fromEntries(entries) };
}

export function hasFiles(schema: JsonSchema): boolean {
  return Object.values(schema.properties ?? {}).some(({ format }) => format === "binary");
}

function mapped(properties: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, shownSchema(schema)]));
}

function words(schema: JsonSchema): JsonSchema {
  const { description, "x-allowed": allowed } = schema;
  return {
    ...(description !== undefined && { description }),
    ...(allowed !== undefined && { "x-allowed": allowed }),
  };
}

function shownUnion(variants: readonly JsonSchema[]): JsonSchema {
  const constants = variants.filter((one) => one.const !== undefined);
  if (constants.length === variants.length)
    return { type: "string", enum: constants.map((one) => one.const) };
  // The type itself comes beside its spelling as text; true and false are spelled out for forms.
  const own = variants.find((one) => one.type !== "string" && one.const === undefined);
  return own === undefined ? { type: "string" } : shownSchema(own);
}
