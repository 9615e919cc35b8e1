// torrx start: serves in the foreground until a signal, then stops in order. A second signal ends at once.

import { accessSync, constants, mkdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname } from "node:path";
import { systemClock } from "../base/clock.ts";
import { describeError, systemCodeOf, TorrxError } from "../base/errors.ts";
import { createLog } from "../base/log.ts";
import type { Config } from "../config/index.ts";
import { buildServer, type Server } from "./build.ts";
import { watchLoop } from "./loop-watch.ts";
import { lanAddressOf, welcome } from "./welcome.ts";

const STOP_MS = 5_000;

/** Resolves with the exit code once a signal, or the failure of the engine, has ended the server. */
export async function serve(config: Config): Promise<number> {
  outliveOutput();
  const writeLog = (line: string) => void process.stderr.write(`${line}\n`);
  const log = createLog(config.log.level, writeLog);
  for (const warning of config.warnings) log.warn(warning);
  prepareFolders(config);
  const stopSignal = firstSignal();
  const server = await buildServer(config, { log, writeLog });
  const watch = watchLoop(systemClock, log, "http");
  process.stdout.write(`${welcome({ ...server, config, lanAddress: lanAddress() })}\n`);
  // Shown first: a password that is kept and was never shown would lock its owner out.
  await keepPassword(server);
  const end = await Promise.race([stopSignal, server.engineFailure]);
  if (typeof end === "string") log.info("stopping", { signal: end });
  const guard = setTimeout(() => process.exit(1), STOP_MS);
  watch.cancel();
  await server.stop();
  clearTimeout(guard);
  return typeof end === "string" ? 0 : 1;
}

/** Inside a container (which says so in `container`) its own address is none that anybody else could use. */
function lanAddress(): string | null {
  return process.env["container"] ? null : lanAddressOf(networkInterfaces());
}

async function keepPassword(server: Server): Promise<void> {
  try {
    await server.generatedPassword?.keep();
  } catch (error) {
    await server.stop();
    const why = systemCodeOf(error) ?? describeError(error);
    throw new TorrxError(
      "start_failed",
      `the password cannot be stored (${why}); the next start makes another`,
      {
        cause: error,
      },
    );
  }
}

/** Nobody reading the log any more, or a full disk behind it, is no reason to stop; there is nowhere left to say so. */
function outliveOutput(): void {
  for (const output of [process.stdout, process.stderr]) output.on("error", () => undefined);
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
