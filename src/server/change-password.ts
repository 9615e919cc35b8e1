// torrx passwd: sets a new password for the next start (and for a running server from its next start on).

import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describeError, systemCodeOf, TorrxError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { type Config, passwordProblem } from "../config/index.ts";
import { createCredentialFile, createPasswordHasher, replaceCredentials } from "../services/access/index.ts";
import { readHiddenLines, readLine } from "./ask.ts";

/** Where credentials.json lies: beside the database. */
export function credentialPathOf(config: Config): string {
  return join(dirname(config.storage.dbPath), "credentials.json");
}

/** Asks for the password (twice on a terminal), or reads one line of standard input; resolves with what to tell. */
export async function changePassword(config: Config): Promise<string> {
  const path = credentialPathOf(config);
  const { username } = config.auth;
  const password = process.stdin.isTTY
    ? await askTwice(`New password of "${username}" in ${dirname(path)}: `)
    : checked(await readLine(process.stdin));
  const isNew = await store({ path, username, password });
  const made = isNew ? `\nThe folder ${dirname(path)} is new: the start must be for the same one.` : "";
  return `The new password of "${username}" holds from the next start on.${made}`;
}

async function askTwice(question: string): Promise<string> {
  return await readHiddenLines(process.stdin, process.stderr, async (ask) => {
    const password = checked(await ask(question));
    if ((await ask("The same again: ")) === password) return password;
    throw new TorrxError("config_invalid", "the two passwords differ; nothing was changed");
  });
}

function checked(password: string): string {
  if (password === "") throw new TorrxError("config_invalid", "no password was given; nothing was changed");
  const problem = passwordProblem(password);
  if (problem === null) return password;
  throw new TorrxError("config_invalid", `${problem}; nothing was changed`);
}

/** Tells whether the data folder had to be made. */
async function store(login: { path: string; username: string; password: string }): Promise<boolean> {
  try {
    const isNew = mkdirSync(dirname(login.path), { recursive: true }) !== undefined;
    await replaceCredentials({
      store: createCredentialFile(login.path),
      hasher: createPasswordHasher(),
      random: systemRandom,
      ...login,
    });
    return isNew;
  } catch (error) {
    if (error instanceof TorrxError) throw error;
    const why = systemCodeOf(error) ?? describeError(error);
    throw new TorrxError("start_failed", `cannot write ${login.path} (${why})`, { cause: error });
  }
}
