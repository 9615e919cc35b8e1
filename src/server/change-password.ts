// torrx passwd: sets a new password for the next start (and for a running server from its next start on).

import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { TorrxError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { type Config, passwordProblem } from "../config/index.ts";
import { createCredentialFile, createPasswordHasher, replaceCredentials } from "../services/access/index.ts";

/** Where credentials.json lies: beside the database. */
export function credentialPathOf(config: Config): string {
  return join(dirname(config.storage.dbPath), "credentials.json");
}

/** Reads one line from standard input and stores it; resolves with what to tell the user. */
export async function changePassword(config: Config): Promise<string> {
  const password = await readPassword();
  const problem = passwordProblem(password);
  if (problem !== null) throw new TorrxError("config_invalid", `the password ${problem}`);
  await replaceCredentials({
    store: createCredentialFile(credentialPathOf(config)),
    hasher: createPasswordHasher(),
    random: systemRandom,
    username: config.auth.username,
    password,
  });
  return `The new password of "${config.auth.username}" holds from the next start on.`;
}

function readPassword(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write("New password: ");
  const lines = createInterface({ input: process.stdin, terminal: false });
  return new Promise((resolve) => {
    lines.once("line", (line) => {
      resolve(line);
      lines.close();
    });
    lines.once("close", () => resolve(""));
  });
}
