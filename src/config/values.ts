// The kinds of value that a key can have: what is allowed, said in words, and how a value of the YAML file or of an
// environment variable is read. A reader gives undefined for a value that is not allowed; it never throws.

import { isIP } from "node:net";
import { resolve } from "node:path";

export interface KeySpec<T> {
  /** Ends the sentence "allowed is …". */
  readonly allowed: string;
  readonly fallback: T;
  /** Value of the file, or of the environment as text. Relative paths are joined to `cwd`. */
  readonly read: (raw: unknown, cwd: string) => T | undefined;
  /** Never shown, not even when it is wrong. */
  readonly isSecret?: boolean;
  /** Name of the variable where the rule TORRX_<SECTION>_<KEY> does not give it. */
  readonly envName?: string;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const NAME_CHARS = 253;
const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must be kept out
const CONTROL = /[\u0000-\u001f\u007f]/;
const USERNAME_CHARS = 64;
/** As many as the settings and the login accept (services/access); a test holds them together. */
const PASSWORD_CHARS = 256;
const LIST_ITEMS = 64;

/** What is wrong with a user name, or null. ":" would end it early in a Basic login. */
export function usernameProblem(text: string): string | null {
  if (text === "" || text.length > USERNAME_CHARS) return `a user name has 1 to ${USERNAME_CHARS} characters`;
  if (text.includes(":") || CONTROL.test(text)) return "a user name has no colon and no control characters";
  return null;
}

/** What is wrong with a password, or null. */
export function passwordProblem(text: string): string | null {
  if (text === "" || text.length > PASSWORD_CHARS) return `a password has 1 to ${PASSWORD_CHARS} characters`;
  return CONTROL.test(text) ? "a password has no control characters" : null;
}

export const readPort = (raw: unknown): number | undefined => wholeNumber(raw, 65_535);

/** A whole number from `min` to `max`. */
export function readWhole(min: number, max: number): (raw: unknown) => number | undefined {
  return (raw) => {
    const value = wholeNumber(raw, max);
    return value === undefined || value < min ? undefined : value;
  };
}

const YES: readonly string[] = ["true", "yes", "on", "1"];
const NO: readonly string[] = ["false", "no", "off", "0"];

/** YAML 1.1's words too, in any case: people write them. */
export function readFlag(raw: unknown): boolean | undefined {
  const word = String(raw).trim().toLowerCase();
  if (typeof raw === "object") return undefined;
  return YES.includes(word) ? true : NO.includes(word) ? false : undefined;
}

export function readHost(raw: unknown): string | undefined {
  if (typeof raw !== "string") return undefined;
  const host = raw.trim().toLowerCase().replace(/\.$/, "");
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  if (isIP(bare) !== 0) return bare;
  // All digits and dots but no address: a mistyped IPv4 address, not a name.
  if (/^[\d.]+$/.test(host) || host.length > NAME_CHARS) return undefined;
  return HOST_NAME.test(host) ? host : undefined;
}

export function readHostPort(raw: unknown): HostPort | undefined {
  if (typeof raw !== "string") return undefined;
  const parts = /^(.+):(\d{1,5})$/.exec(raw.trim());
  const host = readHost(parts?.[1]);
  const port = wholeNumber(parts?.[2], 65_535);
  return host === undefined || port === undefined || port === 0 ? undefined : { host, port };
}

/**
 * A file or folder, made absolute. "~" is a shell's word: whose home it would be depends on how TorrX is started, and
 * a folder of that name in the working directory is never what was meant.
 */
export function readPath(raw: unknown, cwd: string): string | undefined {
  if (typeof raw !== "string" || raw.trim() === "" || CONTROL.test(raw)) return undefined;
  return raw.startsWith("~") ? undefined : resolve(cwd, raw);
}

/** A program: a bare name is looked up on PATH, anything with a slash is a path. */
export function readProgram(raw: unknown, cwd: string): string | undefined {
  return typeof raw === "string" && !raw.includes("/") && readPath(raw, cwd) !== undefined
    ? raw
    : readPath(raw, cwd);
}

export function readCredential(
  problem: (text: string) => string | null,
): (raw: unknown) => string | undefined {
  return (raw) => (typeof raw === "string" && problem(raw) === null ? raw : undefined);
}

/** One of `words`, which are lower case, in any case. */
export function readOneOf<T extends string>(words: readonly T[]): (raw: unknown) => T | undefined {
  return (raw) => words.find((word) => typeof raw === "string" && word === raw.trim().toLowerCase());
}

/** A YAML list, or text with commas between the items. */
export function readListOf<T>(
  readItem: (raw: unknown) => T | undefined,
): (raw: unknown) => readonly T[] | undefined {
  return (raw) => {
    const items = typeof raw === "string" ? raw.split(",").filter((item) => item.trim() !== "") : raw;
    if (!Array.isArray(items) || items.length > LIST_ITEMS) return undefined;
    const read = items.map(readItem);
    return read.every((item) => item !== undefined) ? Object.freeze(read) : undefined;
  };
}

function wholeNumber(raw: unknown, max: number): number | undefined {
  const value = typeof raw === "string" && /^\d{1,9}$/.test(raw.trim()) ? Number(raw) : raw;
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max
    ? value
    : undefined;
}
