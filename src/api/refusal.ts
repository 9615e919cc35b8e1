// What to tell of a request that does not fit its schema: the field and what it may be, in the words of the schema.
// Values are never repeated; names that the sender made up only where they look like names.

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly format?: string;
  readonly "x-allowed"?: string;
}

interface Issue {
  readonly path: string;
  readonly value: unknown;
  /** Of a union: why each of its variants does not fit. */
  readonly errors?: readonly Iterable<Issue>[];
}

const PLAIN_NAME = /^[A-Za-z_]\w{0,63}$/;

/** A sentence's worth, without the full stop; `whole` is the refused body or query. */
export function refusalText(root: unknown, issue: Issue, whole: unknown): string {
  if (!isObject(whole)) return `an object is needed with: ${namesOf(root as SchemaNode)}`;
  const { path, value } = deepest(issue);
  const keys = path.split("/").slice(1).map(unescaped);
  const key = keys.at(-1);
  if (key === undefined) return `at least one is needed of: ${namesOf(root as SchemaNode)}`;
  const parent = keys.slice(0, -1).reduce<SchemaNode | undefined>(childOf, root as SchemaNode);
  const node = childOf(parent, key);
  if (node === undefined) return unknownText(parent ?? {}, key, value);
  const name = keys.join(".");
  if (value === undefined) return `${name} is required`;
  return `${name} must be ${node["x-allowed"] ?? "of another type"}`;
}

/** Arrays and numbers are unions here; the variant that went furthest into the value is the one that was meant. */
function deepest(issue: Issue): Issue {
  const inner = (issue.errors ?? []).flatMap((errors) => [...errors]).map(deepest);
  return inner.reduce((best, one) => (depthOf(one) > depthOf(best) ? one : best), issue);
}

function depthOf({ path }: Issue): number {
  return path.split("/").length;
}

function unescaped(key: string): string {
  return key.replaceAll("~1", "/").replaceAll("~0", "~");
}

function childOf(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  for (const variant of variantsOf(node)) {
    if (variant.items !== undefined && /^\d+$/.test(key)) return variant.items;
    const { properties } = variant;
    if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  }
  return undefined;
}

function variantsOf(node: SchemaNode | undefined): readonly SchemaNode[] {
  return node === undefined ? [] : [node, ...(node.anyOf ?? [])];
}

function propertiesOf(node: SchemaNode): Readonly<Record<string, SchemaNode>> {
  return variantsOf(node).find(({ properties }) => properties !== undefined)?.properties ?? {};
}

function namesOf(node: SchemaNode): string {
  return Object.keys(propertiesOf(node)).join(", ");
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unknownText(parent: SchemaNode, key: string, value: unknown): string {
  const properties = propertiesOf(parent);
  const upload = Object.keys(properties).find((name) => properties[name]?.format === "binary");
  if (value instanceof Blob && upload !== undefined) return `the multipart field must be called ${upload}`;
  const name = PLAIN_NAME.test(key) ? `unknown field ${key}` : "an unknown field";
  return `${name}; known are: ${namesOf(parent)}`;
}
