// Passwords: argon2id, made and checked off the event loop, at most two at once (each costs 19 MiB and a core).

import { TorrxError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";

const ARGON2 = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;
const PARALLEL = 2;
/** Past this many waiting, a login is refused instead of queued. */
const WAITING = 32;
export const PASSWORD_CHARS = 256;
export const USERNAME_CHARS = 64;

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** Rejects busy when too many checks wait. */
  verify(password: string, hash: string): Promise<boolean>;
}

export function createPasswordHasher(): PasswordHasher {
  const waiting: (() => void)[] = [];
  let running = 0;
  async function limited<T>(work: () => Promise<T>): Promise<T> {
    if (running >= PARALLEL) {
      if (waiting.length >= WAITING)
        throw new TorrxError("busy", "too many logins at once", { retryAfterSec: 1 });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      // The slot is handed over, not freed, so that nobody can slip in between.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  }
  return {
    hash: (password) => limited(() => Bun.password.hash(password, ARGON2)),
    verify: (password, hash) =>
      // An empty password is an error to Bun; nobody has one, but the time spent must not tell.
      limited(async () => (await Bun.password.verify(password || "\0", hash)) && password !== ""),
  };
}

const DEFAULTS = new Set([
  "changeme",
  "change-me",
  "admin",
  "adminadmin",
  "password",
  "passw0rd",
  "torrx",
  "secret",
  "default",
  "test",
  "user",
  "root",
  "guest",
  "letmein",
  "qwerty",
  "1234",
  "12345",
  "123456",
  "12345678",
  "123456789",
]);

export function isDefaultPassword(password: string, username: string): boolean {
  const lower = password.toLowerCase();
  return DEFAULTS.has(lower) || lower === username.toLowerCase();
}

/** 32 signs that nobody takes for one another. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

/** 16 characters, 80 bits. */
export function generatePassword(random: Random): string {
  return Array.from(random.bytes(16), (byte) => ALPHABET[byte & 31]).join("");
}

/** Throws validation. */
export function checkUsername(username: string, field = "username"): void {
  if (username === "" || username.length > USERNAME_CHARS || /[\p{Cc}:]/u.test(username)) {
    throw new TorrxError("validation", `${field} must have 1 to ${USERNAME_CHARS} characters and no colon`);
  }
}

/** Throws validation. */
export function checkPassword(password: string, field = "password"): void {
  if (password === "" || password.length > PASSWORD_CHARS || /\p{Cc}/u.test(password)) {
    throw new TorrxError("validation", `${field} must have 1 to ${PASSWORD_CHARS} characters`);
  }
}
