// The YAML file: found, parsed, and turned into raw values by key. Everything wrong with it is one TorrxError of one
// line. Messages never quote the file's text (a password stands in it) but for the value of a key that is no secret.

import { join, resolve } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { describeError, systemCodeOf, TorrxError } from "../base/errors.ts";
import { DYNAMIC_SETTINGS, KEY_NAMES, type KeyName, SECTIONS } from "./keys.ts";
import { nearestHint } from "./nearest.ts";

/** Text of a file; throws what the system throws. */
export type ReadFile = (path: string) => string;

export interface ConfigFile {
  /** Absolute; null when there is no file, which is fine. */
  readonly path: string | null;
  readonly values: ReadonlyMap<KeyName, unknown>;
}

const FILE_NAME = "torrx.yaml";
const FILE_CHARS = 1024 * 1024;

/** The file at `configPath` (it must exist), else the first of ./, ./config, /config that has one. */
export function readConfigFile(configPath: string | null, cwd: string, readFile: ReadFile): ConfigFile {
  const places =
    configPath === null
      ? [join(cwd, FILE_NAME), join(cwd, "config", FILE_NAME), join("/config", FILE_NAME)]
      : [resolve(cwd, configPath)];
  for (const path of places) {
    const text = tryRead(path, readFile, configPath !== null);
    if (text !== null) return { path, values: valuesOf(path, text) };
  }
  return { path: null, values: new Map() };
}

function tryRead(path: string, readFile: ReadFile, mustExist: boolean): string | null {
  try {
    return readFile(path);
  } catch (error) {
    const code = systemCodeOf(error);
    if (!mustExist && (code === "ENOENT" || code === "ENOTDIR")) return null;
    const why = code === "ENOENT" ? "there is no such file" : (code ?? describeError(error));
    throw new TorrxError("config_invalid", `${path}: cannot be read: ${why}`, { cause: error });
  }
}

function valuesOf(path: string, text: string): ReadonlyMap<KeyName, unknown> {
  const values = new Map<KeyName, unknown>();
  for (const [section, keys] of entriesOf(parseYaml(path, text), path, "the file")) {
    if (!SECTIONS.includes(section)) throw unknownKey(path, section);
    if (keys === null) continue;
    for (const [key, value] of entriesOf(keys, path, section)) {
      const name = KEY_NAMES.find((known) => known === `${section}.${key}`);
      if (name === undefined) throw unknownKey(path, `${section}.${key}`);
      // "key:" with nothing behind it is a key left blank in a copied example.
      if (value !== null) values.set(name, value);
    }
  }
  return values;
}

function parseYaml(path: string, text: string): unknown {
  if (text.length > FILE_CHARS) throw new TorrxError("config_invalid", `${path}: larger than 1 MiB`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    const { line, col } = lines.linePos(fault.pos[0]);
    const what = fault.code.toLowerCase().replaceAll("_", " ");
    throw new TorrxError("config_invalid", `${path}: line ${line}, column ${col}: not valid YAML (${what})`);
  }
  try {
    return document.toJS({ maxAliasCount: 0 }) ?? {};
  } catch (error) {
    throw new TorrxError("config_invalid", `${path}: aliases (*name) are not supported`, { cause: error });
  }
}

function entriesOf(value: unknown, path: string, what: string): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TorrxError("config_invalid", `${path}: ${what} must hold "key: value" lines`);
  }
  return Object.entries(value);
}

function unknownKey(path: string, name: string): TorrxError {
  const shown = JSON.stringify(name.slice(0, 100)).slice(1, -1);
  const last = name.slice(name.lastIndexOf(".") + 1);
  if (DYNAMIC_SETTINGS.includes(last)) {
    const how = `${last} is a setting, changed in the running program with PUT /api/settings`;
    return new TorrxError("config_invalid", `${path}: unknown key ${shown}; ${how}`);
  }
  const moved = KEY_NAMES.find((known) => known.endsWith(`.${last}`));
  const hint =
    moved === undefined ? nearestHint(name, [...KEY_NAMES, ...SECTIONS]) : ` (did you mean ${moved}?)`;
  return new TorrxError("config_invalid", `${path}: unknown key ${shown}${hint}`);
}
