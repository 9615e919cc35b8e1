// Health check of the container: asks the server at the address that its own configuration names. Exit code 0 = healthy.

import { readFileSync } from "node:fs";
import { loadConfig } from "../src/config/index.ts";

const TIMEOUT_MS = 4_000;
const ANY_ADDRESS = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "[::1]"],
]);

const { server } = loadConfig({
  configPath: null,
  env: process.env,
  cwd: process.cwd(),
  readFile: (path) => readFileSync(path, "utf8"),
});
const host = ANY_ADDRESS.get(server.host) ?? (server.host.includes(":") ? `[${server.host}]` : server.host);
const url = `http://${host}:${server.port}/api/health`;
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`status ${response.status}`);
} catch (error) {
  console.error(`${url}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
