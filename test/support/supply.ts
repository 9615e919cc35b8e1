// A torrent of random bytes and the one libtorrent seeder that has it, for tests that watch what a server makes of it.

import { closeSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { LibtorrentPeer } from "./actors/libtorrent.ts";
import { tmpFolder } from "./tmp.ts";
import { type MadeTorrent, makeTorrent } from "./torrent-maker.ts";
import type { FileBody, Torrx } from "./torrx.ts";

export interface SupplyOptions {
  /** Bytes of each file by its path; a single path without a folder makes a single-file torrent. */
  readonly files: Readonly<Record<string, number>>;
  /** Name of the folder of several files. */
  readonly name?: string;
  /** Bytes/s of the seeder. */
  readonly uploadLimit?: number;
  readonly pieceBytes?: number;
}

export interface Supply {
  readonly torrent: MadeTorrent;
  readonly seeder: LibtorrentPeer;
  /** A magnet with the seeder's address: after a restart it is still known. */
  readonly magnet: string;
  /** The original of a file. */
  pathOf(file?: number): string;
  stop(): Promise<void>;
}

const CHUNK_BYTES = 1024 * 1024;

export async function supply(options: SupplyOptions): Promise<Supply> {
  const folder = tmpFolder("supply");
  const names = Object.keys(options.files);
  const isSingle = names.length === 1 && options.name === undefined;
  const root = isSingle ? join(folder, names[0] ?? "") : join(folder, options.name ?? "supply");
  for (const [name, lengthBytes] of Object.entries(options.files)) {
    const path = isSingle ? root : join(root, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeRandom(path, lengthBytes);
  }
  const torrent = await makeTorrent(root, { pieceBytes: options.pieceBytes ?? 256 * 1024 });
  const seeder = await LibtorrentPeer.start({
    torrentPath: torrent.torrentPath,
    saveFolder: folder,
    seed: true,
    ...(options.uploadLimit === undefined ? {} : { uploadLimit: options.uploadLimit }),
  });
  return {
    torrent,
    seeder,
    magnet: torrent.magnet([seeder.peer]),
    pathOf: (file = 0) => (isSingle ? root : join(root, torrent.files[file]?.path ?? "")),
    stop: () => seeder.stop(),
  };
}

function writeRandom(path: string, lengthBytes: number): void {
  const file = openSync(path, "w");
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let at = 0; at < lengthBytes; at += chunk.length) {
    for (let part = 0; part < chunk.length; part += 65_536)
      crypto.getRandomValues(chunk.subarray(part, part + 65_536));
    writeSync(file, chunk, 0, Math.min(chunk.length, lengthBytes - at));
  }
  closeSync(file);
}

/** Adds it by file and names the seeder, which works without waiting for metadata. */
export async function addTo(server: Torrx, { torrent, magnet }: Supply): Promise<void> {
  const added = await server.upload(torrent.bytes);
  if (added.status !== 201) throw new Error(`not added: ${added.status} ${JSON.stringify(added.body)}`);
  await server.call("POST", "/api/torrents", { magnet });
}

/** Adds it by magnet and waits for its files. */
export async function addMagnetTo(server: Torrx, { torrent, magnet }: Supply): Promise<void> {
  await server.call("POST", "/api/torrents", { magnet });
  await server.waitFor(torrent.infoHash, (body) => body.files.length > 0, {
    withinMs: 10_000,
    what: "the file list",
  });
}

/** Which pieces the server says it has. */
export async function piecesOf(server: Torrx, id: string): Promise<boolean[]> {
  const { body } = await server.call<{ count: number; have: string }>("GET", `/api/torrents/${id}/pieces`);
  const bits = Buffer.from(body.have, "base64");
  return Array.from(
    { length: body.count },
    (_, piece) => (((bits[piece >> 3] ?? 0) << (piece & 7)) & 0x80) !== 0,
  );
}

/** Pieces among `have` whose bytes in the file `path` are not those of the single-file original. */
export function wrongPieces(options: {
  have: readonly boolean[];
  path: string;
  original: string;
  pieceBytes: number;
}): number[] {
  const [is, shouldBe] = [openSync(options.path, "r"), openSync(options.original, "r")];
  const [a, b] = [Buffer.alloc(options.pieceBytes), Buffer.alloc(options.pieceBytes)];
  const wrong: number[] = [];
  for (const [piece, isHad] of options.have.entries()) {
    if (!isHad) continue;
    const at = piece * options.pieceBytes;
    const [isBytes, originalBytes] = [
      readSync(is, a, 0, a.length, at),
      readSync(shouldBe, b, 0, b.length, at),
    ];
    if (isBytes !== originalBytes || !a.subarray(0, isBytes).equals(b.subarray(0, isBytes)))
      wrong.push(piece);
  }
  closeSync(is);
  closeSync(shouldBe);
  return wrong;
}

export interface Viewing {
  /** Bytes that came and are those of the original. */
  readonly matchedBytes: number;
  readonly wrongAt: number | null;
  /** Why it was cut, where it was. */
  readonly failure: unknown;
  /** How it ended: done (all bytes), cut (connection ended early), aborted (by us). */
  readonly end: "open" | "done" | "cut" | "aborted";
  /** Resolves at the end. */
  readonly ended: Promise<void>;
  abort(): void;
}

/** Reads a stream and compares it with the original as it comes. */
export function view(server: Torrx, file: Pick<FileBody, "stream_url" | "size">, original: string): Viewing {
  const abort = new AbortController();
  const state = {
    matchedBytes: 0,
    wrongAt: null as number | null,
    end: "open" as Viewing["end"],
    failure: null as unknown,
  };
  const ended = watch({
    url: `${server.origin}${file.stream_url}&mode=direct`,
    original,
    signal: abort.signal,
    state,
  }).then(
    () => {
      state.end = state.matchedBytes === file.size ? "done" : "cut";
    },
    (error: unknown) => {
      state.failure = error;
      state.end = abort.signal.aborted ? "aborted" : "cut";
    },
  );
  return {
    get matchedBytes() {
      return state.matchedBytes;
    },
    get wrongAt() {
      return state.wrongAt;
    },
    get failure() {
      return state.failure;
    },
    get end() {
      return state.end;
    },
    ended,
    abort: () => abort.abort(),
  };
}

async function watch(options: {
  url: string;
  original: string;
  signal: AbortSignal;
  state: { matchedBytes: number; wrongAt: number | null };
}): Promise<void> {
  const { state } = options;
  const response = await fetch(options.url, { signal: options.signal });
  if (response.body === null || response.status !== 200) throw new Error(`status ${response.status}`);
  const original = openSync(options.original, "r");
  try {
    for await (const chunk of response.body) {
      const expected = Buffer.alloc(chunk.length);
      readSync(original, expected, 0, expected.length, state.matchedBytes);
      if (!expected.equals(chunk)) {
        state.wrongAt ??= state.matchedBytes;
        return;
      }
      state.matchedBytes += chunk.length;
    }
  } finally {
    closeSync(original);
  }
}
