import type { Config } from "../config/index.ts";

/** Address and login, in two lines on standard output; the password only at the start that made it. */
export function sayWhere(options: {
  config: Config;
  port: number;
  username: string;
  generatedPassword: string | null;
}): void {
  const { config, port, username, generatedPassword } = options;
  const isEverywhere = config.server.host === "0.0.0.0" || config.server.host === "::";
  const host = isEverywhere ? "localhost" : config.server.host;
  const address = host.includes(":") ? `[${host}]` : host;
  const login =
    generatedPassword === null
      ? `Login: ${username} with the password that you set (./torrx passwd sets a new one)`
      : `Login: ${username} / ${generatedPassword}  (made now and shown once; change it in the settings)`;
  process.stdout.write(`TorrX is ready: http://${address}:${port}\n${login}\n`);
}
