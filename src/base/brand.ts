// Branded types: a value of one of these types has passed its check, so code that takes it need not check again.

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** SHA-1 of a torrent's info dictionary: 40 lower-case hex digits. */
export type InfoHash = Branded<string, "InfoHash">;

/** Position of a file in its torrent, 0 … files − 1. */
export type FileIndex = Branded<number, "FileIndex">;

/** A relative path, "/"-separated, that cannot leave the folder it is joined to. Made by metainfo only. */
export type SafePath = Branded<string, "SafePath">;

const INFO_HASH = /^[0-9a-f]{40}$/;

/** The info hash in `text` (any case), or null. */
export function tryInfoHash(text: string): InfoHash | null {
  const lower = text.toLowerCase();
  return INFO_HASH.test(lower) ? (lower as InfoHash) : null;
}
