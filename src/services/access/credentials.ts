// Which username and password hold (PRODUCT §5): the configuration's, until the user changes them in the settings;
// without either, a generated one. There is always one.

import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import {
  checkPassword,
  checkUsername,
  generatePassword,
  isDefaultPassword,
  type PasswordHasher,
} from "./password.ts";
import type { CredentialStore, StoredCredentials } from "./ports.ts";

export interface AuthConfig {
  readonly username: string;
  /** null = none configured. */
  readonly password: string | null;
}

export interface ActiveCredentials {
  /** What is (to be) kept. */
  readonly stored: StoredCredentials;
  readonly username: string;
  readonly passwordHash: string;
  readonly isDefaultPassword: boolean;
  /** Set at the start that made it, and then not yet stored: it is lost unless the user sees it. */
  readonly generatedPassword: string | null;
}

export interface CredentialSources {
  readonly config: AuthConfig;
  readonly store: CredentialStore;
  readonly hasher: PasswordHasher;
  readonly random: Random;
  readonly log: Log;
}

/** Told where a password is configured and the user has set another one. */
export const IGNORED_PASSWORD =
  "auth.password (TORRX_AUTH_PASSWORD) is not used: the login set in the settings or with torrx passwd wins";

/** A password made here is not stored yet; a start that fails before anybody saw it makes another the next time. */
export async function openCredentials(sources: CredentialSources): Promise<ActiveCredentials> {
  const { config, log } = sources;
  const stored = await sources.store.load();
  if (stored?.source === "user") {
    if (config.password !== null) log.warn(IGNORED_PASSWORD);
    return active(stored, stored);
  }
  if (config.password !== null) return fromConfig(sources, config.password, stored);
  if (stored?.passwordHash != null) return active(stored, { ...stored, username: config.username });
  return generate(sources, stored);
}

async function fromConfig(
  sources: CredentialSources,
  password: string,
  before: StoredCredentials | null,
): Promise<ActiveCredentials> {
  const { config, hasher, store } = sources;
  const stored: StoredCredentials = {
    ...keyAndEpoch(before, sources.random),
    source: "config",
    username: config.username,
    passwordHash: null,
    isDefaultPassword: isDefaultPassword(password, config.username),
  };
  await store.save(stored);
  return active(stored, { ...stored, passwordHash: await hasher.hash(password) });
}

async function generate(
  sources: CredentialSources,
  before: StoredCredentials | null,
): Promise<ActiveCredentials> {
  const password = generatePassword(sources.random);
  const stored: StoredCredentials = {
    ...keyAndEpoch(before, sources.random),
    source: "generated",
    username: sources.config.username,
    passwordHash: await sources.hasher.hash(password),
    isDefaultPassword: false,
  };
  return { ...active(stored, stored), generatedPassword: password };
}

function active(stored: StoredCredentials, effective: StoredCredentials): ActiveCredentials {
  return {
    stored,
    username: effective.username,
    passwordHash: effective.passwordHash ?? "",
    isDefaultPassword: effective.isDefaultPassword,
    generatedPassword: null,
  };
}

function keyAndEpoch(
  before: StoredCredentials | null,
  random: Random,
): Pick<StoredCredentials, "tokenKey" | "epoch"> {
  return { tokenKey: before?.tokenKey ?? random.bytes(32), epoch: before?.epoch ?? 0 };
}

/**
 * Sets a password without asking for the old one: `torrx passwd`, whose user owns the data folder. Takes effect at
 * the next start. Throws validation.
 */
export async function replaceCredentials(options: {
  store: CredentialStore;
  hasher: PasswordHasher;
  random: Random;
  username: string;
  password: string;
}): Promise<void> {
  const { store, hasher, random, username, password } = options;
  checkUsername(username);
  checkPassword(password);
  await store.save({
    ...keyAndEpoch(await store.load(), random),
    source: "user",
    username,
    passwordHash: await hasher.hash(password),
    isDefaultPassword: isDefaultPassword(password, username),
  });
}
