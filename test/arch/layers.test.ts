// The permitted imports between layers, and the rules that a linter cannot say. The same table stands in
// ARCHITECTURE.md §4; a test below holds the two together.

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");

/** layer → layers or single files that it may import, besides itself. */
const PERMITTED: Readonly<Record<string, readonly string[]>> = {
  "src/base": [],
  "src/config": ["src/base"],
  "src/metainfo": ["src/base"],
  "src/wire": ["src/base", "src/metainfo", "native"],
  "src/swarm": ["src/base", "src/metainfo"],
  "src/scheduler": ["src/base", "src/metainfo"],
  "src/store": ["src/base", "src/metainfo", "native"],
  "src/stream": ["src/base", "src/metainfo", "native"],
  "src/engine": [
    "src/base",
    "src/config",
    "src/metainfo",
    "src/wire",
    "src/swarm",
    "src/scheduler",
    "src/store",
    "src/stream",
  ],
  "src/media": ["src/base", "src/config", "src/metainfo"],
  "src/db": ["src/base", "src/metainfo"],
  "src/services": [
    "src/base",
    "src/config",
    "src/metainfo",
    "src/media",
    "src/db",
    "src/engine/port.ts",
    "src/store/ports.ts",
    "src/stream/ports.ts",
    "src/swarm/ports.ts",
    "src/swarm/egress",
  ],
  "src/api": ["src/base", "src/config", "src/services"],
  "src/front": [
    "src/base",
    "src/config",
    "src/services",
    "src/stream/reader",
    "src/stream/ports.ts",
    "native",
  ],
  "src/server": [
    "src/base",
    "src/config",
    "src/metainfo",
    "src/wire",
    "src/swarm",
    "src/store",
    "src/stream/reader",
    "src/stream/ports.ts",
    "src/engine",
    "src/media",
    "src/db",
    "src/services",
    "src/api",
    "src/front",
    "native",
    "package.json",
  ],
  native: [],
  web: [],
};

function sourcesBelow(folder: string): string[] {
  const absolute = join(ROOT, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { recursive: true, encoding: "utf8" })
    .map((name) => join(absolute, name))
    .filter((path) => /\.(ts|tsx)$/.test(path) && !path.includes("node_modules") && statSync(path).isFile());
}

function importsOf(path: string): { specifier: string; isTypeOnly: boolean }[] {
  const text = readFileSync(path, "utf8");
  const found: { specifier: string; isTypeOnly: boolean }[] = [];
  for (const match of text.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?["']([^"']+)["']/gm,
  )) {
    found.push({ specifier: match[2] ?? "", isTypeOnly: match[1] !== undefined });
  }
  for (const match of text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g)) {
    found.push({ specifier: match[1] ?? "", isTypeOnly: false });
  }
  return found;
}

function layerOf(path: string): string | undefined {
  const name = relative(ROOT, path);
  return Object.keys(PERMITTED).find((layer) => name.startsWith(`${layer}/`));
}

function isPermitted(layer: string, target: string): boolean {
  const name = relative(ROOT, target);
  const allowed = [layer, ...(PERMITTED[layer] ?? [])];
  return allowed.some((place) => name === place || name.startsWith(`${place}/`));
}

function forbiddenEdges(): string[] {
  const bad: string[] = [];
  for (const layer of Object.keys(PERMITTED)) {
    for (const path of sourcesBelow(layer)) {
      for (const { specifier, isTypeOnly } of importsOf(path)) {
        if (!specifier.startsWith(".")) continue;
        const target = resolve(dirname(path), specifier);
        if (layer === "web" && isTypeOnly && relative(ROOT, target).startsWith("src/api/")) continue;
        if (!isPermitted(layer, target)) bad.push(`${relative(ROOT, path)} → ${specifier}`);
      }
    }
  }
  return bad;
}

describe("architecture", () => {
  test("no layer imports what it may not", () => {
    expect(forbiddenEdges()).toEqual([]);
  });

  test("every source file lies in a layer, or is main", () => {
    const strays = sourcesBelow("src").filter((path) => layerOf(path) === undefined);
    expect(strays.map((path) => relative(ROOT, path)).filter((name) => name !== "src/main.ts")).toEqual([]);
  });

  test("ARCHITECTURE.md tells the same permitted imports", () => {
    const text = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");
    for (const [layer, allowed] of Object.entries(PERMITTED)) {
      const short = (place: string) => place.replace(/^src\//, "");
      const row = text.split("\n").find((line) => line.startsWith(`| \`${short(layer)}\` |`));
      expect(row, `row of ${layer}`).toBeDefined();
      const told = [
        ...(row ?? "")
          .split("|")
          .at(-2)!
          .matchAll(/`([^`]+)`/g),
      ].map((match) => match[1]);
      expect(told.sort(), layer).toEqual(allowed.map(short).sort());
    }
  });

  test("no file is called utils, helpers, common or manager", () => {
    const names = [...sourcesBelow("src"), ...sourcesBelow("web"), ...sourcesBelow("native")];
    expect(
      names.filter((path) => /(^|[/-])(utils?|helpers?|common|managers?)(\.|\/)/.test(relative(ROOT, path))),
    ).toEqual([]);
  });

  test("no SQL is put together from template values", () => {
    const offenders = sourcesBelow("src/db").filter((path) =>
      /(?:query|prepare|run|exec)(?:<[^(]*>)?\(\s*`[^`]*\$\{/.test(readFileSync(path, "utf8")),
    );
    expect(offenders).toEqual([]);
  });
});
