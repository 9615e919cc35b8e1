// A stream's file of the real file system.

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { systemCodeOf, TorrxError } from "../../base/errors.ts";
import { openFailureOf } from "../../base/open-failure.ts";

export interface OpenedFile {
  readonly fd: number;
  /** The same for two openings of one file, another for a file that took its place. */
  readonly identity: string;
  close(): Promise<void>;
}

/** Resolves null where there is no file (yet); rejects not_found where what is there is none of ours, busy, internal. */
export type OpenFile = (path: string) => Promise<OpenedFile | null>;

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** A link or a device in the file's place could lead anywhere; not to block is for a named pipe, which would. */
export async function openForReading(path: string): Promise<OpenedFile | null> {
  try {
    const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const facts = await handle.stat({ bigint: true });
    if (facts.isFile()) {
      return { fd: handle.fd, identity: `${facts.dev}:${facts.ino}`, close: () => handle.close() };
    }
    await handle.close();
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return null;
    throw openFailureOf(error) ?? new TorrxError("internal", "the file cannot be read", { cause: error });
  }
  throw new TorrxError("not_found", "the file is not on the disk any more");
}
