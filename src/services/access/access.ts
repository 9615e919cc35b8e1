// The gate: who is who (Basic against one argon2id hash) and what a link opens (tokens). Invariants: a header that has
// been verified is answered from memory before any limit is looked at; a wrong name costs the same hash as a wrong
// password; changes of the stored credentials run one after the other.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { TorrxError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import { tryBasicHeader } from "./basic-header.ts";
import { type ActiveCredentials, type AuthConfig, openCredentials } from "./credentials.ts";
import { createLoginLimiter, type LoginLimiter } from "./login-limiter.ts";
import {
  checkPassword,
  checkUsername,
  createPasswordHasher,
  isDefaultPassword,
  type PasswordHasher,
} from "./password.ts";
import type {
  AccessService,
  CredentialStore,
  CredentialsChange,
  LinkToken,
  StoredCredentials,
  TokenFault,
  UserSession,
} from "./ports.ts";
import { SessionCache } from "./session-cache.ts";
import { refusalOf, type SignedLink, signToken, type TokenRules, trySignedLink } from "./token.ts";

export interface AccessOptions {
  readonly config: AuthConfig;
  readonly store: CredentialStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Life of a new link, read each time one is issued. */
  readonly tokenTtlHours: () => number;
  readonly hasher?: PasswordHasher;
}

const HOUR_SEC = 3_600;
const SIGNED_LINKS = 256;
/** The limiter's name for tries of the current password, which come from a session and not from an address. */
const CHANGE = "change";

/** A password that was made at this start: to be shown first, then kept, so that none is kept that nobody knows. */
export interface GeneratedPassword {
  readonly text: string;
  /** Stores it; until then the next start makes another. Rejects what the store rejects. */
  keep(): Promise<void>;
}

export interface OpenedAccess {
  readonly access: AccessService;
  readonly generatedPassword: GeneratedPassword | null;
  /** Where the password in force at this start comes from. */
  readonly source: StoredCredentials["source"];
}

export async function createAccess(options: AccessOptions): Promise<OpenedAccess> {
  const hasher = options.hasher ?? createPasswordHasher();
  const credentials = await openCredentials({ ...options, hasher });
  const access = new Access(options, hasher, credentials);
  const text = credentials.generatedPassword;
  return {
    access,
    generatedPassword: text === null ? null : { text, keep: () => access.keep() },
    source: credentials.stored.source,
  };
}

class Access implements AccessService {
  readonly #options: AccessOptions;
  readonly #hasher: PasswordHasher;
  readonly #limiter: LoginLimiter;
  readonly #sessions: SessionCache;
  /** Checks under way, by header: a page opens with many requests at once, and one hash is enough for them. */
  readonly #checks = new Map<string, Promise<UserSession | null>>();
  readonly #onRevoked = new Set<() => void>();
  /** Links whose signature is ours, by text. The key is the same as long as the data folder. */
  readonly #signedLinks = new Map<string, SignedLink>();
  #credentials: ActiveCredentials;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: AccessOptions, hasher: PasswordHasher, credentials: ActiveCredentials) {
    this.#options = options;
    this.#hasher = hasher;
    this.#credentials = credentials;
    this.#limiter = createLoginLimiter(options.clock);
    this.#sessions = new SessionCache(options.clock, options.random);
  }

  get username(): string {
    return this.#credentials.username;
  }

  verifyBasic(header: string, clientAddress: string): Promise<UserSession | null> {
    const key = this.#sessions.keyOf(header);
    const session = this.#sessions.get(key);
    if (session !== null) return Promise.resolve(session);
    const running = this.#checks.get(key);
    if (running !== undefined) return running;
    const check = this.#checkHeader(key, header, clientAddress).finally(() => this.#checks.delete(key));
    this.#checks.set(key, check);
    return check;
  }

  async #checkHeader(key: string, header: string, clientAddress: string): Promise<UserSession | null> {
    this.#pay(clientAddress, this.#sessions.isWrong(key));
    const claimed = tryBasicHeader(header);
    if (claimed === null) return null;
    const before = this.#credentials;
    const isPassword = await this.#hasher.verify(claimed.password, before.passwordHash);
    if (!isSameText(claimed.username, before.username) || !isPassword) {
      if (before === this.#credentials) this.#sessions.addWrong(key);
      return null;
    }
    this.#limiter.giveBack(clientAddress);
    // The login may have changed while the hash ran (a new epoch of the links is no change of it).
    const { username, passwordHash } = this.#credentials;
    const isSame = before.username === username && before.passwordHash === passwordHash;
    return isSame ? this.#sessions.add(key, username) : null;
  }

  #pay(clientAddress: string, wasWrong = false): void {
    const waitSec = this.#limiter.tryTake(clientAddress, wasWrong);
    if (waitSec === null) return;
    throw new TorrxError("rate_limited", "too many failed logins", { retryAfterSec: waitSec });
  }

  verifyToken(text: string): LinkToken | null {
    const signed = this.#signedLink(text);
    return signed === null || this.#refusalOf(signed) !== null ? null : signed.link;
  }

  tokenFault(text: string): TokenFault | null {
    const signed = this.#signedLink(text);
    return signed === null ? "invalid" : this.#refusalOf(signed);
  }

  #refusalOf(signed: SignedLink): TokenFault | null {
    const { epoch } = this.#credentials.stored;
    return refusalOf(signed, { epoch, sec: this.#options.clock.wallMs() / 1000 });
  }

  /** A player sends the same link with every small range: its signature is looked at once. */
  #signedLink(text: string): SignedLink | null {
    const known = this.#signedLinks.get(text);
    if (known !== undefined) return known;
    const signed = trySignedLink(text, this.#credentials.stored.tokenKey);
    if (signed === null) return null;
    this.#signedLinks.set(text, signed);
    const [oldest] = this.#signedLinks.keys();
    if (this.#signedLinks.size > SIGNED_LINKS && oldest !== undefined) this.#signedLinks.delete(oldest);
    return signed;
  }

  issueStreamToken(target: Parameters<AccessService["issueStreamToken"]>[0]): string {
    return this.#issue({
      kind: "stream",
      torrent: target.torrent,
      file: target.file,
      id: this.#idOf(target.viewer),
    });
  }

  issuePlaylistToken(target: Parameters<AccessService["issuePlaylistToken"]>[0]): string {
    return this.#issue({ kind: "playlist", torrent: target.torrent, id: this.#idOf(target.viewer) });
  }

  #issue(link: LinkToken): string {
    const ttlSec = this.#options.tokenTtlHours() * HOUR_SEC;
    const expSec = Math.ceil((this.#options.clock.wallMs() / 1000 + ttlSec) / HOUR_SEC) * HOUR_SEC;
    return signToken(link, expSec, this.#tokenRules());
  }

  #tokenRules(): TokenRules {
    return { key: this.#credentials.stored.tokenKey, epoch: this.#credentials.stored.epoch };
  }

  #idOf(viewer: string): string {
    const digest = createHmac("sha256", this.#credentials.stored.tokenKey)
      .update(`viewer ${viewer}`)
      .digest();
    return digest.subarray(0, 9).toString("base64url");
  }

  async revokeAll(): Promise<void> {
    await this.#change((before) => ({ ...before, epoch: before.epoch + 1 }));
    for (const listener of [...this.#onRevoked]) listener();
  }

  onRevoked(listener: () => void): () => void {
    // Wrapped, so that the same function given twice is two listeners.
    const own = () => listener();
    this.#onRevoked.add(own);
    return () => this.#onRevoked.delete(own);
  }

  async changeCredentials(change: CredentialsChange): Promise<void> {
    if (change.username === undefined && change.password === undefined) {
      throw new TorrxError("validation", "username or password must be given");
    }
    if (change.username !== undefined) checkUsername(change.username);
    if (change.password !== undefined) checkPassword(change.password);
    this.#pay(CHANGE);
    if (!(await this.#hasher.verify(change.currentPassword, this.#credentials.passwordHash))) {
      throw new TorrxError("validation", "current_password is wrong");
    }
    this.#limiter.giveBack(CHANGE);
    const password = change.password ?? change.currentPassword;
    const passwordHash = await this.#hasher.hash(password);
    await this.#change((before) => {
      const username = change.username ?? this.#credentials.username;
      const isDefault = isDefaultPassword(password, username);
      return { ...before, source: "user", username, passwordHash, isDefaultPassword: isDefault };
    });
    this.#sessions.clear();
  }

  /** Stores what is in force. */
  keep(): Promise<void> {
    return this.#change((before) => before);
  }

  /** Stores first, then holds: what is in force survives a crash. */
  #change(make: (before: StoredCredentials) => StoredCredentials): Promise<void> {
    const done = this.#saving.then(async () => {
      const stored = make(this.#credentials.stored);
      await this.#options.store.save(stored);
      const { username, isDefaultPassword } = stored;
      this.#credentials =
        stored.source === "user"
          ? {
              ...this.#credentials,
              stored,
              username,
              isDefaultPassword,
              passwordHash: stored.passwordHash ?? "",
            }
          : { ...this.#credentials, stored };
    });
    // The next change waits for this one whether it succeeds or not; its error goes to its caller.
    this.#saving = done.catch(() => undefined);
    return done;
  }

  warnings(): readonly { code: string; message: string }[] {
    if (!this.#credentials.isDefaultPassword) return [];
    return [
      {
        code: "default_password",
        message: "The password is one that everybody tries first. Change it in the settings.",
      },
    ];
  }
}

function isSameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
