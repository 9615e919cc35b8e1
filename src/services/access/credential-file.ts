// credentials.json in the data folder: mode 0600, replaced whole by rename, so that a crash leaves the old or the new
// one. A damaged file stops the start: making a new password in silence would be a surprise to its owner.

import { chmod, open, readFile, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCodeOf, TorrxError } from "../../base/errors.ts";
import type { CredentialStore, StoredCredentials } from "./ports.ts";

const MODE = 0o600;
const KEY_BYTES = 32;

export function createCredentialFile(path: string): CredentialStore {
  return {
    load: () => load(path),
    save: (credentials) => save(path, credentials),
  };
}

async function load(path: string): Promise<StoredCredentials | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return null;
    throw new TorrxError("start_failed", `cannot read ${path}: ${systemCodeOf(error) ?? "error"}`, {
      cause: error,
    });
  }
  const credentials = parse(text);
  if (credentials === null) {
    throw new TorrxError("start_failed", `${path} is damaged; remove it to start with a new password`);
  }
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, MODE);
  return credentials;
}

async function save(path: string, credentials: StoredCredentials): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", MODE);
  try {
    await file.chmod(MODE);
    await file.writeFile(serialize(credentials));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function serialize(credentials: StoredCredentials): string {
  const fields = {
    version: 1,
    ...credentials,
    tokenKey: Buffer.from(credentials.tokenKey).toString("base64url"),
  };
  return `${JSON.stringify(fields, null, 2)}\n`;
}

function parse(text: string): StoredCredentials | null {
  const fields = tryJson(text);
  if (fields === null) return null;
  const { version, source, username, passwordHash, isDefaultPassword, tokenKey, epoch } = fields;
  if (version !== 1) return null;
  if (source !== "config" && source !== "generated" && source !== "user") return null;
  if (typeof username !== "string" || typeof isDefaultPassword !== "boolean") return null;
  if (typeof passwordHash !== "string" && passwordHash !== null) return null;
  if (source !== "config" && passwordHash === null) return null;
  if (typeof epoch !== "number" || !Number.isSafeInteger(epoch) || typeof tokenKey !== "string") return null;
  const key = new Uint8Array(Buffer.from(tokenKey, "base64url"));
  if (key.length !== KEY_BYTES) return null;
  return { source, username, passwordHash, isDefaultPassword, tokenKey: key, epoch };
}

function tryJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
