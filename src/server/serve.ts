// torrx start: puts the server together, serves until a signal, and takes it apart in order. Order of the start:
// database → access → engine → services → API → front; the stop runs the other way round. A second signal ends at once.

import { accessSync, constants, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createApp } from "../api/index.ts";
import { systemClock } from "../base/clock.ts";
import { describeError, systemCodeOf, TorrxError } from "../base/errors.ts";
import { createLog, type Log } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { Config } from "../config/index.ts";
import { openDatabase } from "../db/index.ts";
import { createEngine } from "../engine/index.ts";
import { createFront } from "../front/index.ts";
import { contentTypeOf } from "../metainfo/index.ts";
import { createAccess, createCredentialFile } from "../services/access/index.ts";
import { createServices, storedDhtNodes } from "../services/index.ts";
import { createRangeReader } from "../stream/reader/index.ts";
import { fetchTorrentUrl, nodeHttpGet, systemDns } from "../swarm/index.ts";
import { credentialPathOf } from "./change-password.ts";
import { engineDepsOf } from "./engine-deps.ts";
import { watchLoop } from "./loop-watch.ts";
import { VERSION } from "./program.ts";
import { openReadableFile } from "./readable-file.ts";
import { sayWhere } from "./welcome.ts";

const ROOT = resolve(import.meta.dir, "../..");
const FRONT_GRACE_MS = 1_000;
const STREAM_CHUNK_BYTES = 256 * 1024;
const STOP_MS = 5_000;

/** Resolves with the exit code once a signal has ended the server. */
export async function serve(config: Config): Promise<number> {
  const log = createLog(config.log.level, (line) => process.stderr.write(`${line}\n`));
  for (const warning of config.warnings) log.warn(warning);
  prepareFolders(config);
  const stopSignal = firstSignal();
  const server = await start(config, log);
  const signal = await stopSignal;
  log.info("stopping", { signal });
  const guard = setTimeout(() => process.exit(1), STOP_MS);
  await server.stop();
  clearTimeout(guard);
  return 0;
}

async function start(config: Config, log: Log): Promise<{ stop(): Promise<void> }> {
  const clock = systemClock;
  const random = systemRandom;
  const database = openDatabase(config.storage.dbPath, { migrationsDir: join(ROOT, "migrations"), log });
  try {
    let tokenTtlHours = () => 168;
    const { access, generatedPassword } = await createAccess({
      config: config.auth,
      store: createCredentialFile(credentialPathOf(config)),
      clock,
      random,
      log: log.of("access"),
      tokenTtlHours: () => tokenTtlHours(),
    });
    const engine = await createEngine(engineDepsOf({ config, log, dhtNodes: storedDhtNodes(database) }));
    const services = createServices({
      database,
      engine,
      clock,
      log,
      version: VERSION,
      downloadDir: config.storage.downloadDir,
      warnings: [...config.warnings.map((message) => ({ code: "config", message })), ...access.warnings()],
      fetchTorrentUrl: (url, signal) =>
        fetchTorrentUrl({ http: nodeHttpGet, dns: systemDns, clock }, url, {
          allowPrivate: config.torrent.allowPrivateUrls,
          signal,
        }),
    });
    tokenTtlHours = () => services.settings.get().streamTokenTtlHours;
    await services.start();
    const api = await createApp({
      ...services,
      access,
      clock,
      log: log.of("api"),
      version: VERSION,
      webFolder: join(ROOT, "web", "dist"),
    });
    const front = createFront({
      host: config.server.host,
      port: config.server.port,
      allowedHosts: config.server.allowedHosts,
      access,
      streams: services.streams,
      app: api.handle,
      openBody: ({ target, open, signal }) =>
        createRangeReader({
          source: services.streams.source,
          open,
          path: target.diskPath,
          isComplete: target.isComplete,
          chunkBytes: STREAM_CHUNK_BYTES,
          openFile: openReadableFile,
          signal,
        }),
      contentTypeOf,
      clock,
      log: log.of("front"),
    });
    const { port } = await front.listen();
    const watch = watchLoop(clock, log);
    sayWhere({ config, port, username: access.username, generatedPassword });
    return {
      async stop() {
        watch.cancel();
        api.close();
        await Promise.all([front.close(FRONT_GRACE_MS), engine.stop()]);
        await services.stop();
        database.close();
      },
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Makes the folders of the configuration; throws start_failed naming the one that cannot be had. */
function prepareFolders(config: Config): void {
  const { downloadDir, dbPath, tempDir } = config.storage;
  for (const folder of [dirname(dbPath), downloadDir, tempDir]) {
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK | constants.X_OK);
    } catch (error) {
      const why = systemCodeOf(error) ?? describeError(error);
      const advice = `the folder ${folder} cannot be made or written (${why}); make it writable for this user`;
      throw new TorrxError("start_failed", advice, { cause: error });
    }
  }
}

/** Closing the terminal stops it as Ctrl-C does. Every further signal ends the process at once, also during the start. */
function firstSignal(): Promise<string> {
  return new Promise((resolveSignal) => {
    let hasCome = false;
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
      process.on(signal, () => {
        if (hasCome) process.exit(1);
        hasCome = true;
        resolveSignal(signal);
      });
    }
  });
}
