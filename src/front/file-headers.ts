// The headers that tell what a file is, complete or not. Those of the last file are kept: a player asks for the same one
// many times a second.

import type { ServerResponse } from "node:http";
import { contentDisposition } from "../base/content-disposition.ts";
import type { StreamTarget } from "../services/ports.ts";
import { TORRENT_BYTES_POLICY } from "./security-headers.ts";

/** What has no type of its own is offered as a download only. */
const UNKNOWN_TYPE = "application/octet-stream";

type File = Pick<StreamTarget, "name" | "etag" | "lastModifiedMs">;
type Header = readonly [name: string, value: string];

export class FileHeaders {
  /** From a fixed table. */
  readonly #contentTypeOf: (name: string) => string;
  #last: { readonly file: File; readonly headers: readonly Header[] } | null = null;

  constructor(contentTypeOf: (name: string) => string) {
    this.#contentTypeOf = contentTypeOf;
  }

  set(response: ServerResponse, file: File): void {
    if (this.#last === null || !isSame(this.#last.file, file)) {
      this.#last = { file, headers: this.#make(file) };
    }
    for (const [name, value] of this.#last.headers) response.setHeader(name, value);
  }

  #make({ name, etag, lastModifiedMs }: File): readonly Header[] {
    const type = this.#contentTypeOf(name);
    return [
      ["etag", etag],
      ["last-modified", new Date(lastModifiedMs).toUTCString()],
      ["accept-ranges", "bytes"],
      ["cache-control", "private, no-cache"],
      // Until the file is complete, others get a playlist under the same address.
      ["vary", "Accept, User-Agent"],
      ["content-type", type],
      ["content-disposition", contentDisposition(name, type !== UNKNOWN_TYPE)],
      ["content-security-policy", TORRENT_BYTES_POLICY],
    ];
  }
}

function isSame(a: File, b: File): boolean {
  return a.etag === b.etag && a.name === b.name && a.lastModifiedMs === b.lastModifiedMs;
}
