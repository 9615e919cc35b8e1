// The command line of the program behind ./torrx. Pure: it decides, main acts.

import { TorrxError } from "../base/errors.ts";
import { nearestHint } from "./nearest.ts";

const COMMANDS = ["start", "check-config", "passwd", "version", "help"] as const;
export type Command = (typeof COMMANDS)[number];

export interface Arguments {
  readonly command: Command;
  readonly configPath: string | null;
}

export const USAGE = `torrx: stream torrents while they download

  torrx start [--config FILE]          serve in the foreground (the default)
  torrx check-config [--config FILE]   read the configuration, print it, exit
  torrx passwd [--config FILE]         set a new password (asked for, or one line on standard input); it belongs to
                                       the data that the configuration names and holds from the next start on
  torrx --version
  torrx --help`;

/** Arguments after the program's name. Throws TorrxError config_invalid on anything unknown; --help wins. */
export function parseArguments(argv: readonly string[]): Arguments {
  let command: Command | null = null;
  let configPath: string | null = null;
  // Whoever asks what there is wants nothing done.
  if (argv.some(isHelp)) return { command: "help", configPath };
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word === "--config") configPath = pathBehind(argv[++at]);
    else if (word.startsWith("--config=")) configPath = pathBehind(word.slice("--config=".length));
    else if (command === null) command = commandOf(word);
    else throw new TorrxError("config_invalid", `unexpected argument ${JSON.stringify(word)}; see --help`);
  }
  return { command: command ?? "start", configPath };
}

function pathBehind(word: string | undefined): string {
  if (word === undefined || word === "") throw new TorrxError("config_invalid", "--config needs a file name");
  return word;
}

function isHelp(word: string): boolean {
  return word === "-h" || word === "--help";
}

function commandOf(word: string): Command {
  if (word === "-V" || word === "--version") return "version";
  const command = COMMANDS.find((known) => known === word);
  if (command !== undefined) return command;
  const hint = nearestHint(word, COMMANDS);
  throw new TorrxError("config_invalid", `unknown command ${JSON.stringify(word)}${hint}; see --help`);
}
