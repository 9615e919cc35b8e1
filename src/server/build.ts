// Puts one server together. Order of the start: database → access → engine → windows → services → API → front; the stop
// runs the other way round, and the services are stopped after the engine, whose last words they record. The engine's
// thread is made first: it loads its code while the others open theirs.

import { join, resolve } from "node:path";
import { EXEC_PATH, type NativeThread } from "../../native/index.ts";
import { createApp } from "../api/index.ts";
import type { PeerAddress } from "../base/address.ts";
import { systemClock } from "../base/clock.ts";
import { describeError, systemCodeOf, TorrxError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { Config } from "../config/index.ts";
import { openDatabase, type TorrxDatabase } from "../db/index.ts";
import type { EnginePort } from "../engine/port.ts";
import { createFront, type FrontOptions, type Listening } from "../front/index.ts";
import { createMediaPrograms } from "../media/index.ts";
import { contentTypeOf } from "../metainfo/index.ts";
import {
  type AccessService,
  createAccess,
  createCredentialFile,
  type OpenedAccess,
} from "../services/access/index.ts";
import { createServices, type Services, storedDhtNodes } from "../services/index.ts";
import { openForReading, openWindowReader, StreamWindows } from "../stream/reader/index.ts";
import { fetchTorrentUrl, nodeHttpGet, systemDns } from "../swarm/index.ts";
import { credentialPathOf } from "./change-password.ts";
import { EngineThread } from "./engine-thread.ts";
import { openNativeThread } from "./native-thread.ts";
import { VERSION } from "./program.ts";
import { inOrder, type Step, stopInOrder } from "./stop.ts";

const ROOT = resolve(import.meta.dir, "../..");
const MIB = 1024 * 1024;
/** Until the settings are there to ask. */
const FIRST_SIZES = { ramBufferBytes: 256 * MIB, ramTotalBytes: 256 * MIB, bufferAheadPercent: 80 };
/** Takes a whole line of the log, without a newline. */
type WriteLog = (line: string) => void;
/** Until the settings are there to ask. */
const FIRST_TOKEN_TTL_HOURS = 168;

export interface Server {
  readonly port: number;
  readonly username: string;
  readonly generatedPassword: OpenedAccess["generatedPassword"];
  readonly passwordSource: OpenedAccess["source"];
  /** Resolves if the engine ends by itself; it has been logged then, and all that is left is to stop. */
  readonly engineFailure: Promise<Error>;
  stop(): Promise<void>;
}

/** Throws start_failed with one line that says what to do; nothing stays open then. */
export async function buildServer(
  config: Config,
  { log, writeLog }: { log: Log; writeLog: WriteLog },
): Promise<Server> {
  const engine = new EngineThread({ entry: new URL("./engine-worker.ts", import.meta.url), log, writeLog });
  const undo: Step[] = [];
  let endPlayback: Step = () => undefined;
  try {
    const database = openDatabase(config.storage.dbPath, { migrationsDir: join(ROOT, "migrations"), log });
    undo.push(() => database.close());
    let tokenTtlHours = () => FIRST_TOKEN_TTL_HOURS;
    const { access, generatedPassword, source } = await createAccess({
      config: config.auth,
      store: createCredentialFile(credentialPathOf(config)),
      clock: systemClock,
      random: systemRandom,
      log: log.of("access"),
      tokenTtlHours: () => tokenTtlHours(),
    });
    await startEngine(engine, config, storedDhtNodes(database));
    const native = openNativeThread();
    undo.push(() => native.close());
    const windows = openWindows(config, native);
    const listening = new Address();
    const services = createServices(
      servicesOptions({ config, log, database, engine: engine.port, windows, listening, access }),
    );
    endPlayback = services.endPlayback;
    tokenTtlHours = () => services.settings.get().streamTokenTtlHours;
    await engine.unlessItFails(services.start());
    const api = await createApp({
      ...services,
      access,
      clock: systemClock,
      log: log.of("api"),
      version: VERSION,
      webFolder: join(ROOT, "web", "dist"),
    });
    const front = createFront(
      frontOptions({ config, log, access, services, windows, native, app: api.handle }),
    );
    const { port } = listening.set(await front.listen());
    const stop = () =>
      stopInOrder({ front, engine, windows, native, services, database, closeEvents: api.close });
    return {
      port,
      username: access.username,
      generatedPassword,
      passwordSource: source,
      stop,
      engineFailure: engine.failure,
    };
  } catch (error) {
    const failures = await inOrder([endPlayback, () => engine.stop(), ...undo.reverse()]);
    for (const late of failures)
      log.warn("the failed start left something open", { error: describeError(late) });
    throw error;
  }
}

/** Where the front listens, for those who were made before it does. */
class Address {
  #listening: Listening | null = null;

  set(listening: Listening): Listening {
    this.#listening = listening;
    return listening;
  }

  get port(): number | null {
    return this.#listening?.port ?? null;
  }

  /** Nobody plays before there is one. */
  get ownOrigin(): string {
    return this.#listening?.ownOrigin ?? "";
  }
}

function openWindows(config: Config, native: NativeThread): StreamWindows {
  return new StreamWindows({
    memory: native,
    clock: systemClock,
    openFile: openForReading,
    arenaBytes: config.torrent.arenaMb * MIB,
    sizes: FIRST_SIZES,
  });
}

/** The engine does not know the names of the configuration; a taken port (TCP, or UDP of the DHT) is told in them. */
async function startEngine(
  engine: EngineThread,
  config: Config,
  dhtNodes: readonly PeerAddress[],
): Promise<void> {
  const { torrent, storage, log } = config;
  try {
    await engine.start({ config: { torrent, storage }, dhtNodes, logLevel: log.level });
  } catch (error) {
    if (!isPortTaken(error)) throw error;
    const advice = `port ${torrent.port} for peers is taken; set torrent.port (TORRX_TORRENT_PORT)`;
    throw new TorrxError("start_failed", advice, { cause: error });
  }
}

function isPortTaken(error: unknown): boolean {
  if (systemCodeOf(error) === "EADDRINUSE") return true;
  return error instanceof Error && error.cause !== undefined && isPortTaken(error.cause);
}

function servicesOptions(parts: {
  config: Config;
  log: Log;
  database: TorrxDatabase;
  engine: EnginePort;
  windows: StreamWindows;
  listening: Address;
  access: AccessService;
}): Parameters<typeof createServices>[0] {
  const { config, log, database, engine, windows, listening, access } = parts;
  return {
    media: {
      programs: createMediaPrograms({
        execPath: EXEC_PATH,
        ffmpegPath: config.ffmpeg.binaryPath,
        log,
        clock: systemClock,
        loopbackPort: () => listening.port,
      }),
      ownOrigin: () => listening.ownOrigin,
      tempDir: config.storage.tempDir,
      nextReaderId: () => windows.nextReaderId(),
      random: systemRandom,
      onRevoked: (listener) => access.onRevoked(listener),
    },
    database,
    engine,
    buffers: windows,
    log,
    clock: systemClock,
    version: VERSION,
    downloadDir: config.storage.downloadDir,
    warnings: configWarnings(config),
    fetchTorrentUrl: (url, signal) =>
      fetchTorrentUrl({ http: nodeHttpGet, dns: systemDns, clock: systemClock }, url, {
        allowPrivate: config.torrent.allowPrivateUrls,
        signal,
      }),
  };
}

/** One line: of one code only the newest is kept. */
function configWarnings({ warnings }: Config): { code: string; message: string }[] {
  return warnings.length === 0 ? [] : [{ code: "config", message: warnings.join("; ") }];
}

function frontOptions(parts: {
  config: Config;
  log: Log;
  access: AccessService;
  services: Services;
  windows: StreamWindows;
  native: NativeThread;
  app: FrontOptions["app"];
}): FrontOptions {
  const { config, log, access, services, windows, native, app } = parts;
  return {
    host: config.server.host,
    port: config.server.port,
    allowedHosts: config.server.allowedHosts,
    access,
    app,
    streams: services.streams,
    openBody: ({ target, request, signal }) =>
      openWindowReader({
        windows,
        source: services.streams.source,
        request,
        file: {
          path: target.diskPath,
          isBegun: target.isBegun,
          lengthBytes: target.lengthBytes,
          startBytes: services.streams.startBytesOf(target.torrent, target.file),
        },
        signal,
      }),
    chooseDelivery: (asked) => services.media.chooseDelivery(asked),
    loopback: services.media,
    readCached: (fd, target, atBytes) => native.readNow(fd, target, 0, target.length, atBytes),
    contentTypeOf,
    clock: systemClock,
    log: log.of("front"),
  };
}
