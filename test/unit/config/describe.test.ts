import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import {
  describeConfig,
  envNameOf,
  KEY_NAMES,
  loadConfig,
  parseArguments,
  passwordProblem,
  usernameProblem,
} from "../../../src/config/index.ts";

const ROOT = join(import.meta.dir, "../../..");
const absent = () => {
  throw Object.assign(new Error("absent"), { code: "ENOENT" });
};

describe("check-config", () => {
  test("tells every key with its origin and never the password", () => {
    const env = { TORRX_AUTH_PASSWORD: "topsecret", TORRX_SERVER_PORT: "81", TORRX_NO: "1" };
    const lines = describeConfig(loadConfig({ configPath: null, env, cwd: "/w", readFile: absent }));
    for (const name of KEY_NAMES) expect(lines.some((line) => line.startsWith(`${name} = `))).toBe(true);
    expect(lines).toContain("server.port = 81  (TORRX_SERVER_PORT)");
    expect(lines).toContain("storage.db_path = /w/data/torrx.db  (default)");
    expect(lines).toContain("auth.password = (set)  (TORRX_AUTH_PASSWORD)");
    expect(lines.join("\n")).not.toContain("topsecret");
    expect(lines.join("\n")).not.toContain("undefined");
    expect(lines.at(-1)).toStartWith("warning: environment variable TORRX_NO");
  });
});

describe("the example file", () => {
  const text = readFileSync(join(ROOT, "config/torrx.example.yaml"), "utf8");

  test("changes nothing as it is", () => {
    const load = (readFile: (path: string) => string) =>
      loadConfig({ configPath: null, env: {}, cwd: "/w", readFile });
    const { file: _, ...example } = load(() => text);
    const { file: __, ...none } = load(absent);
    expect(example).toEqual(none);
  });

  test("shows every key with its default and its variable", () => {
    const shown = parse(text.replace(/^ {2}# ((?: {2}- )?[a-z_]+:| {2}- )/gm, "  $1")) as Record<
      string,
      object
    >;
    const names = Object.entries(shown).flatMap(([section, keys]) =>
      Object.keys(keys).map((key) => `${section}.${key}`),
    );
    expect(names).toEqual([...KEY_NAMES]);
    for (const name of KEY_NAMES) expect(text).toContain(envNameOf(name));
    const asFile = text.replace(/^ {2}# ((?: {2}- )?[a-z_]+:| {2}- )/gm, "  $1");
    const read = loadConfig({ configPath: null, env: {}, cwd: "/w", readFile: () => asFile });
    const none = loadConfig({ configPath: null, env: {}, cwd: "/w", readFile: absent });
    expect(read.torrent).toEqual(none.torrent);
    expect(read.server).toEqual(none.server);
    expect(read.storage).toEqual(none.storage);
    expect(read.log).toEqual(none.log);
  });
});

describe("the command line", () => {
  test("no word means start; words and --config come in any order", () => {
    expect(parseArguments([])).toEqual({ command: "start", configPath: null });
    expect(parseArguments(["--config", "x.yaml"])).toEqual({ command: "start", configPath: "x.yaml" });
    expect(parseArguments(["passwd", "--config=y"])).toEqual({ command: "passwd", configPath: "y" });
    expect(parseArguments(["--config", "y", "check-config"]).command).toBe("check-config");
    expect(parseArguments(["-V"]).command).toBe("version");
  });

  test("--help behind any command asks for the usage and does nothing", () => {
    for (const word of ["start", "check-config", "passwd"]) {
      expect(parseArguments([word, "--help"]).command).toBe("help");
      expect(parseArguments([word, "--config", "x", "-h"]).command).toBe("help");
    }
  });

  test("anything else is refused with a hint", () => {
    expect(() => parseArguments(["strat"])).toThrow('unknown command "strat" (did you mean start?)');
    expect(() => parseArguments(["start", "now"])).toThrow('unexpected argument "now"');
    expect(() => parseArguments(["--config"])).toThrow("needs a file name");
  });
});

describe("credentials", () => {
  test("their rules are told, at the limit and one past it", () => {
    expect(usernameProblem("ü".repeat(64))).toBeNull();
    expect(usernameProblem("u".repeat(65))).not.toBeNull();
    expect(usernameProblem("a:b")).not.toBeNull();
    expect(passwordProblem("p:ä ".repeat(64))).toBeNull();
    expect(passwordProblem("p".repeat(257))).not.toBeNull();
    expect(passwordProblem("")).not.toBeNull();
    expect(passwordProblem("a\nb")).not.toBeNull();
  });
});
