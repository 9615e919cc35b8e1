// torrx check-config: the configuration as it was read, and what on this machine stands against it.

import { TorrxError } from "../base/errors.ts";
import { type Config, describeConfig } from "../config/index.ts";
import { createCredentialFile, IGNORED_PASSWORD } from "../services/access/index.ts";
import { credentialPathOf } from "./change-password.ts";

/** Lines for the user's eyes. Reads, and changes nothing but rights of the stored login that are too open. */
export async function checkConfig(config: Config): Promise<string> {
  return [...describeConfig(withMachineWarnings(config)), ...(await loginLines(config))].join("\n");
}

async function loginLines(config: Config): Promise<string[]> {
  try {
    const stored = await createCredentialFile(credentialPathOf(config)).load();
    if (stored?.source !== "user") return [];
    const login = `login in force: ${stored.username}, set in the settings or with torrx passwd`;
    return config.auth.password === null ? [login] : [login, `warning: ${IGNORED_PASSWORD}`];
  } catch (error) {
    if (error instanceof TorrxError) return [`warning: ${error.message}`];
    throw error;
  }
}

/** With warnings of what it names and this machine has not. A server that runs tells it of itself. */
function withMachineWarnings(config: Config): Config {
  const { binaryPath } = config.ffmpeg;
  if (config.origins["ffmpeg.binary_path"] === "default" || Bun.which(binaryPath) !== null) return config;
  const warning = `ffmpeg.binary_path: there is no program ${JSON.stringify(binaryPath)}`;
  return { ...config, warnings: [...config.warnings, warning] };
}
