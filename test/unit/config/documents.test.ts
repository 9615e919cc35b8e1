// What is written in two places is the same in both.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { envNameOf, KEY_NAMES, loadConfig } from "../../../src/config/index.ts";

import { DYNAMIC_SETTINGS } from "../../../src/config/keys.ts";
import { SETTING_RULES } from "../../../src/services/settings/setting-rules.ts";

const ROOT = join(import.meta.dir, "../../..");
const text = (path: string) => readFileSync(join(ROOT, path), "utf8");

describe("documents", () => {
  test("the README's table names every key with its variable, in order, and no other", () => {
    const rows = [...text("README.md").matchAll(/^\| `([a-z_]+\.[a-z_]+)` \| `(TORRX_\w+)` \|/gm)];
    expect(rows.map((row) => row[1])).toEqual([...KEY_NAMES]);
    expect(rows.map((row) => row[2])).toEqual(KEY_NAMES.map(envNameOf));
  });

  test("the README's defaults are the defaults", () => {
    const absent = () => {
      throw Object.assign(new Error("absent"), { code: "ENOENT" });
    };
    const config = loadConfig({ configPath: null, env: {}, cwd: "/w", readFile: absent });
    const readme = text("README.md");
    expect(readme).toContain(`\`TORRX_SERVER_PORT\` | \`${config.server.port}\` |`);
    expect(readme).toContain(`\`TORRX_TORRENT_PORT\` | \`${config.torrent.port}\` |`);
    expect(readme).toContain(`\`TORRX_STORAGE_DB_PATH\` | \`${config.storage.dbPath.slice(3)}\` |`);
  });

  test("Bun is pinned to one version in the launcher, in package.json and in the program", () => {
    const pinned = /^BUN_VERSION=(.+)$/m.exec(text("scripts/setup.sh"))?.[1];
    expect(JSON.parse(text("package.json")).engines.bun).toBe(`>=${pinned}`);
    expect(text("src/server/program.ts")).toContain(`BUN_MIN = "${pinned}"`);
  });

  test("the names of settings that a wrong key is compared with are the settings", () => {
    const settings = Object.values(SETTING_RULES).map(({ key }) => key);
    expect(settings.filter((key) => key !== "download_dir")).toEqual([...DYNAMIC_SETTINGS]);
    expect(KEY_NAMES).toContain("storage.download_dir");
  });

  test("nothing stands between the container's signal to stop and the program that may not take it on", () => {
    const { services } = parse(text("docker-compose.yml")) as {
      services: { torrx: { init?: boolean; cap_add: string[] } };
    };
    const { init, cap_add } = services.torrx;
    expect(init !== true || cap_add.includes("KILL")).toBe(true);
  });

  test("the command for a new password that the README names exists in the image", () => {
    expect(text("README.md")).toContain("docker compose exec torrx torrx passwd");
    expect(text("Dockerfile")).toContain("ln -s /app/scripts/image-entrypoint.sh /usr/local/bin/torrx");
  });

  test("the container publishes the ports that the configuration opens by default", () => {
    for (const port of ["8080", "51414"]) {
      expect(text("Dockerfile")).toMatch(new RegExp(`^EXPOSE .*${port}`, "m"));
      expect(text("docker-compose.yml")).toContain(`"${port}:${port}`);
    }
  });
});
