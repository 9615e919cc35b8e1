// Adds several things at once; each succeeds or fails on its own.

import { type Added, api, errorText } from "../../api/client.ts";
import type { Torrent } from "../../api/types.ts";
import { type Addable, type InputLine, shortened } from "../../lib/input.ts";

export interface Outcome {
  /** In whole sentences. */
  readonly notes: readonly string[];
  readonly errors: readonly string[];
  /** Positions of what failed. */
  readonly failed: readonly number[];
}

type OnAdded = (torrent: Torrent) => void;

interface Task {
  readonly label: string;
  readonly run: () => Promise<Added>;
}

/** The server's own limit of an upload; told before megabytes are sent for nothing. */
const TORRENT_BYTES = 32 * 1024 * 1024;

export function addLines(lines: readonly InputLine[], onAdded: OnAdded): Promise<Outcome> {
  return runAll(
    lines.map(({ text, addable }) => ({ label: shortened(text), run: () => addLine(addable) })),
    onAdded,
  );
}

export function addFiles(files: readonly File[], onAdded: OnAdded): Promise<Outcome> {
  return runAll(
    files.map((file) => ({ label: shortened(file.name), run: () => addFile(file) })),
    onAdded,
  );
}

function addLine(addable: Addable | null): Promise<Added> {
  if (addable === null) return Promise.reject(new Error("That is no magnet link, info hash or http link."));
  return addable.kind === "magnet" ? api.addMagnet(addable.magnet) : api.addUrl(addable.url);
}

function addFile(file: File): Promise<Added> {
  if (file.size > TORRENT_BYTES) return Promise.reject(new Error("The file is too large for a .torrent."));
  return api.addFile(file);
}

async function runAll(tasks: readonly Task[], onAdded: OnAdded): Promise<Outcome> {
  const notes: string[] = [];
  const errors: string[] = [];
  const failed: number[] = [];
  await Promise.all(
    tasks.map(async ({ label, run }, index) => {
      try {
        const { torrent, isNew } = await run();
        onAdded(torrent);
        if (!isNew) notes.push(`Already in the list: ${torrent.name}`);
      } catch (error) {
        failed.push(index);
        errors.push(tasks.length === 1 ? errorText(error) : `${label}: ${errorText(error)}`);
      }
    }),
  );
  return { notes, errors, failed };
}
