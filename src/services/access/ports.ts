// Who may do what, as the HTTP side sees it. Secrets stay behind this line: nothing here returns a hash or a key.

import type { InfoHash } from "../../base/brand.ts";

/** Somebody who has proved the username and the password. */
export interface UserSession {
  readonly username: string;
  /** The same for the same credentials as long as the process runs; tells nothing about them. */
  readonly id: string;
}

/** What a link opens: one file, or the playlist of one torrent. */
export type LinkToken =
  | { readonly kind: "stream"; readonly torrent: InfoHash; readonly file: number; readonly id: string }
  | { readonly kind: "playlist"; readonly torrent: InfoHash; readonly id: string };

/** What a program of this server reads one file by, over loopback; signed with a key of the process, given to no client. */
export interface LoopbackToken {
  readonly kind: "loopback";
  readonly torrent: InfoHash;
  readonly file: number;
  readonly id: string;
}

/** `revoked` and `expired` are told of tokens with a true signature only; anything else is `invalid`. */
export type TokenFault = "expired" | "revoked" | "invalid";

/** Behind every request that has passed the front's authentication. */
export type Principal =
  | { readonly kind: "user"; readonly session: UserSession; readonly viewer: string }
  | { readonly kind: "link"; readonly token: LinkToken; readonly viewer: string }
  /** A program of ours that reads for somebody. */
  | { readonly kind: "loopback"; readonly grant: LoopbackGrant; readonly viewer: string };

/** Leave to read one file on behalf of a viewer, from this machine, until it is withdrawn. */
export interface LoopbackGrant {
  readonly viewer: string;
  /** The viewer's. */
  readonly clientAddress: string;
  /** A connection is going to read from here on. */
  reads(fromBytes: number): void;
  /** So many bytes were read by it. */
  count(bytes: number): void;
  /** Called once, when the leave ends: what was opened by it ends too. Returns what stops listening. */
  onEnd(listener: () => void): () => void;
}

/** What the front knows of a request and its headers cannot say; goes beside the Request. */
export interface RequestContext {
  /** null only on the routes that are open to everybody. */
  readonly principal: Principal | null;
  readonly clientAddress: string;
  /** Scheme, host and port under which the client reached us; no slash at the end. */
  readonly origin: string;
}

export interface CredentialsChange {
  readonly currentPassword: string;
  readonly username?: string;
  readonly password?: string;
}

export interface AccessService {
  readonly username: string;
  /**
   * The session of an Authorization header, or null when it proves nothing. Rejects rate_limited (with the seconds
   * to wait) after too many failures; a header that has been verified before is never limited.
   */
  verifyBasic(header: string, clientAddress: string): Promise<UserSession | null>;
  /** The token in `text` if its signature, epoch and expiry hold; which link it opens is the caller's to compare. */
  verifyToken(text: string): LinkToken | null;
  /** Why `verifyToken` refuses the text; null for a token that holds. */
  tokenFault(text: string): TokenFault | null;
  /** The same `viewer` gets the same token for an hour, so that a page that asks again keeps its player's URL. */
  issueStreamToken(target: { torrent: InfoHash; file: number; viewer: string }): string;
  issuePlaylistToken(target: { torrent: InfoHash; viewer: string }): string;
  /** Every link given out so far stops working. Resolves when that is stored. */
  revokeAll(): Promise<void>;
  /** Called after each revokeAll: what was opened by a link ends. Returns what stops listening. */
  onRevoked(listener: () => void): () => void;
  /** Rejects validation (names the field; also a wrong current_password) and rate_limited. */
  changeCredentials(change: CredentialsChange): Promise<void>;
  warnings(): readonly { readonly code: string; readonly message: string }[];
}

/** What is kept in the data folder. */
export interface StoredCredentials {
  /** `config`: the password stands in the configuration and only key and epoch are kept here. */
  readonly source: "config" | "generated" | "user";
  readonly username: string;
  readonly passwordHash: string | null;
  /** The password is one that everybody tries first. */
  readonly isDefaultPassword: boolean;
  /** HMAC key of the links, 32 bytes. */
  readonly tokenKey: Uint8Array;
  readonly epoch: number;
}

export interface CredentialStore {
  /** null when there is none yet. Rejects start_failed for one that cannot be read. */
  load(): Promise<StoredCredentials | null>;
  /** All or nothing, also across a power cut. */
  save(credentials: StoredCredentials): Promise<void>;
}
