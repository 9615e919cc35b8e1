// Reading of ffprobe's JSON. Nothing in it is believed: a field of the wrong type or beyond its bounds is as good as
// missing, and numbers come as numbers or as text ("2.000000").

import { cleanText } from "./clean-text.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function objectIn(value: unknown): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** Objects of a list, the first `count` of them. */
export function objectsIn(value: unknown, count: number): readonly JsonObject[] {
  return Array.isArray(value) ? value.slice(0, count).map(objectIn) : [];
}

export function numberIn(value: unknown, min: number, max: number): number | null {
  const number = typeof value === "string" && /^-?\d{1,16}(\.\d{1,16})?$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number >= min && number <= max ? number : null;
}

export function wholeIn(value: unknown, min: number, max: number): number | null {
  const number = numberIn(value, min, max);
  return number !== null && Number.isInteger(number) ? number : null;
}

/** "24000/1001"; null for "0/0" and what is outside the bounds. */
export function ratioIn(value: unknown, min: number, max: number): number | null {
  const [, above, below] = (typeof value === "string" && /^(\d{1,12})\/(\d{1,12})$/.exec(value)) || [];
  return numberIn(Number(above) / Number(below), min, max);
}

/** A name that ffprobe itself gives (a codec, a pixel format); null for anything that does not look like one. */
export function nameIn(value: unknown): string | null {
  return typeof value === "string" && /^[\w .,:()+[\]-]{1,64}$/.test(value) ? value : null;
}

/** Text that stands in the file, cleaned. */
export function textIn(value: unknown, charsMax: number): string | null {
  return typeof value === "string" ? cleanText(value, charsMax) : null;
}

/** Tags have names in whatever case the file was written with. */
export function tagIn(stream: JsonObject, name: string): unknown {
  const tags = objectIn(stream["tags"]);
  const key = Object.keys(tags).find((tag) => tag.toLowerCase() === name);
  return key === undefined ? undefined : tags[key];
}

export function hasDisposition(stream: JsonObject, name: string): boolean {
  return objectIn(stream["disposition"])[name] === 1;
}
