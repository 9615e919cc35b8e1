// The program: reads the command line and runs one command. What a command needs is put together in src/server.

import { readFileSync } from "node:fs";
import { describeError, TorrxError } from "./base/errors.ts";
import {
  type Arguments,
  type Config,
  describeConfig,
  loadConfig,
  parseArguments,
  USAGE,
} from "./config/index.ts";
import { changePassword } from "./server/change-password.ts";
import { requireRuntime, VERSION } from "./server/program.ts";
import { serve } from "./server/serve.ts";

async function run(): Promise<number> {
  requireRuntime();
  const args = parseArguments(process.argv.slice(2));
  switch (args.command) {
    case "version":
      return say(`torrx ${VERSION}`);
    case "help":
      return say(USAGE);
    case "check-config":
      return say(describeConfig(configOf(args)).join("\n"));
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

run().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const isExpected = error instanceof TorrxError;
    process.stderr.write(`torrx: ${describeError(error)}\n`);
    if (!isExpected && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
    process.exit(1);
  },
);
