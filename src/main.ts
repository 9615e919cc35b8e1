// The program: reads the command line and runs one command. What a command needs is put together in src/server.

import { readFileSync } from "node:fs";
import { describeError, TorrxError } from "./base/errors.ts";
import { type Arguments, type Config, loadConfig, parseArguments, USAGE } from "./config/index.ts";
import { changePassword } from "./server/change-password.ts";
import { checkConfig } from "./server/check-config.ts";
import { requireRuntime, VERSION } from "./server/program.ts";
import { serve } from "./server/serve.ts";

const FAILED = 1;
const BAD_USAGE = 2;

async function run(): Promise<number> {
  requireRuntime();
  let args: Arguments;
  try {
    args = parseArguments(process.argv.slice(2));
  } catch (error) {
    return refuse(error, BAD_USAGE);
  }
  switch (args.command) {
    case "version":
      return say(`torrx ${VERSION}`);
    case "help":
      return say(USAGE);
    case "check-config":
      return say(await checkConfig(configOf(args)));
    case "passwd":
      return say(await changePassword(configOf(args)));
    case "start":
      return await serve(configOf(args));
  }
}

function configOf(args: Arguments): Config {
  return loadConfig({
    configPath: args.configPath,
    env: process.env,
    cwd: process.cwd(),
    readFile: (path) => readFileSync(path, "utf8"),
  });
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

/** One line on standard error; the stack only of what should not happen. */
function refuse(error: unknown, code: number): number {
  process.stderr.write(`torrx: ${describeError(error)}\n`);
  const isExpected = error instanceof TorrxError;
  if (!isExpected && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  return code;
}

run().then(
  (code) => process.exit(code),
  (error: unknown) => process.exit(refuse(error, FAILED)),
);
