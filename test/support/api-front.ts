// A front on a real port with one torrent of four files behind it: complete, still incomplete, empty, and one with a
// difficult name. The incomplete one's bytes appear when the test says so.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileIndex, InfoHash } from "../../src/base/brand.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { TorrxError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { seededRandom } from "../../src/base/random.ts";
import {
  type App,
  type ByteBody,
  type CachedRead,
  createFront,
  type FrontOptions,
  type OpenBody,
} from "../../src/front/index.ts";
import { type AccessService, createAccess, type StoredCredentials } from "../../src/services/access/index.ts";
import { chooseDelivery, type DeliveryParts } from "../../src/services/media/delivery.ts";
import type { StreamsService, StreamTarget } from "../../src/services/ports.ts";
import type { ReaderRequest } from "../../src/stream/ports.ts";
import { basicHeader } from "./api-client.ts";
import { readWarm } from "./cached-reads.ts";
import { tmpFolder } from "./tmp.ts";

export const TORRENT = "ab".repeat(20) as InfoHash;
export const LENGTH = 1_500_000;
export const ODD_NAME = 'Ä "день"; 100%\r\n日本\u202e.mkv';
export const AUTHORIZATION = basicHeader("admin", "correct horse");
export const COMPLETE = 0;
export const INCOMPLETE = 1;
export const EMPTY = 2;
export const ODD = 3;
export const PAGE = 4;

/** The same for every file, and different wherever a chunk could be mistaken for another. */
export function contentAt(start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - start);
  for (let i = 0, at = start; at < end; i++, at++) bytes[i] = (at * 7) ^ (at >> 8) ^ ((at >> 16) * 31);
  return bytes;
}

/** Readers of the incomplete file: what is open, and how far its bytes are there. */
export class PartialSource {
  readonly open: ReaderRequest[] = [];
  /** Bytes handed out so far. */
  givenBytes = 0;
  failure: TorrxError | null = null;
  /** The body ends where its bytes end. */
  isShort = false;
  #untilBytes = Number.POSITIVE_INFINITY;
  #waiting: (() => void)[] = [];

  /** Bytes before `untilBytes` exist. */
  haveUntil(untilBytes: number): void {
    this.#untilBytes = untilBytes;
    this.wake();
  }

  wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  readonly openBody: OpenBody = ({ request, signal }) => {
    this.open.push(request);
    let at = request.startBytes;
    let isClosed = false;
    const close = () => {
      if (!isClosed) this.open.splice(this.open.indexOf(request), 1);
      isClosed = true;
      this.wake();
    };
    signal.addEventListener("abort", close);
    const body: ByteBody = {
      close,
      next: async () => {
        while (!isClosed && at < request.endBytes) {
          if (this.failure !== null) throw this.failure;
          const end = Math.min(request.endBytes, this.#untilBytes, at + 65_536);
          if (end <= at && this.isShort) return null;
          if (end > at) {
            const chunk = contentAt(at, end);
            at = end;
            this.givenBytes += chunk.length;
            return chunk;
          }
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
        }
        return null;
      },
    };
    return body;
  };
}

function targetOf(file: number, folder: string, lengthBytes: number): StreamTarget {
  const names = ["complete.mkv", "incomplete.mp4", "empty.srt", ODD_NAME, "page.html"];
  return {
    torrent: TORRENT,
    file: file as FileIndex,
    name: names[file] ?? "",
    lengthBytes: file === EMPTY ? 0 : lengthBytes,
    isComplete: file !== INCOMPLETE,
    isBegun: true,
    diskPath: join(folder, file === EMPTY ? "empty" : "complete"),
    etag: `"${TORRENT}-${file}"`,
    lastModifiedMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  };
}

export function testStreams(lengthBytes = LENGTH): StreamsService {
  const folder = tmpFolder("front");
  writeFileSync(join(folder, "complete"), contentAt(0, lengthBytes));
  writeFileSync(join(folder, "empty"), "");
  return {
    resolve(id, file) {
      if (id !== TORRENT || file > PAGE) throw new TorrxError("not_found", "there is no such file");
      return targetOf(file, folder, lengthBytes);
    },
    playable: () => [COMPLETE, INCOMPLETE, ODD].map((file) => targetOf(file, folder, lengthBytes)),
    startBytesOf: () => 0,
    source: {
      openReader: () => Promise.resolve(),
      advanceReader: () => undefined,
      closeReader: () => undefined,
    },
  };
}

export async function testAccess(clock: Clock = systemClock): Promise<AccessService> {
  let kept: StoredCredentials | null = null;
  const { access } = await createAccess({
    config: { username: "admin", password: "correct horse" },
    store: {
      load: () => Promise.resolve(kept),
      save: (credentials) => {
        kept = credentials;
        return Promise.resolve();
      },
    },
    clock,
    random: seededRandom(11),
    log: silentLog,
    tokenTtlHours: () => 168,
  });
  return access;
}

export interface TestFront {
  readonly port: number;
  readonly ownOrigin: string;
  readonly access: AccessService;
  readonly partial: PartialSource;
  close(graceMs?: number): Promise<void>;
}

export async function startFront(
  options: {
    app?: App;
    access?: AccessService;
    streams?: StreamsService;
    clock?: Clock;
    readCached?: CachedRead;
    loopback?: FrontOptions["loopback"];
    /** Whether a client gets bytes where the file is incomplete; all do unless told. */
    wantsBytes?: DeliveryParts["wantsBytes"];
  } = {},
): Promise<TestFront> {
  const access = options.access ?? (await testAccess());
  const streams = options.streams ?? testStreams();
  const wantsBytes = options.wantsBytes ?? (() => true);
  const partial = new PartialSource();
  const front = createFront({
    host: "127.0.0.1",
    port: 0,
    allowedHosts: ["torrx.example.org"],
    access,
    streams,
    app: options.app ?? (() => Response.json({ ok: true })),
    openBody: partial.openBody,
    loopback: options.loopback ?? { admit: () => null },
    chooseDelivery: (asked) => chooseDelivery(asked, { resolve: streams.resolve, wantsBytes }),
    readCached: options.readCached ?? readWarm,
    contentTypeOf: (name) => {
      if (name.endsWith(".mkv")) return "video/x-matroska";
      return name.endsWith(".mp4") ? "video/mp4" : "application/octet-stream";
    },
    clock: options.clock ?? systemClock,
    log: silentLog,
  });
  const listening = await front.listen();
  return { ...listening, access, partial, close: (graceMs = 0) => front.close(graceMs) };
}
