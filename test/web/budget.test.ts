// What the page may weigh (UI §5), and that it brings everything along: nothing of it leads to another host.

import { beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { buildWebIfDue, WEB_DIST } from "../support/web-build.ts";

const ENTRY_GZIP_BYTES = 45 * 1024;
const STYLES_GZIP_BYTES = 14 * 1024;
/** Everything before a player is opened. */
const FIRST_LOAD_GZIP_BYTES = 90 * 1024;
/** hls.js, which is loaded when a film needs it. */
const HLS_GZIP_BYTES = 190 * 1024;
/** Names of XML and event vocabularies, and where an error message points; nobody asks anything of them. */
const NAMES_ONLY = /^https?:\/\/(?:www\.w3\.org\/|aomedia\.org\/emsg\/|localhost\b)/;

const files = () => readdirSync(WEB_DIST, { recursive: true, encoding: "utf8" });
const gzipBytes = (name: string) => gzipSync(readFileSync(join(WEB_DIST, name)), { level: 9 }).length;
const sum = (names: readonly string[]) => names.reduce((total, name) => total + gzipBytes(name), 0);
const indexHtml = () => readFileSync(join(WEB_DIST, "index.html"), "utf8");
const loadedFirst = () =>
  [...indexHtml().matchAll(/(?:src|href)="\/([^"]+)"/g)].map((match) => match[1] ?? "");

describe("the built page", () => {
  beforeAll(buildWebIfDue, 90_000);

  test("its scripts and styles keep to their budgets", () => {
    const scripts = loadedFirst().filter((name) => name.endsWith(".js"));
    const styles = files().filter((name) => name.endsWith(".css"));
    expect(scripts.length).toBeGreaterThan(0);
    expect(styles.length).toBeGreaterThan(0);
    expect(sum(scripts)).toBeLessThanOrEqual(ENTRY_GZIP_BYTES);
    expect(sum(styles)).toBeLessThanOrEqual(STYLES_GZIP_BYTES);
    expect(sum(["index.html", ...loadedFirst()])).toBeLessThanOrEqual(FIRST_LOAD_GZIP_BYTES);
  });

  test("hls.js is a script of its own, which nothing loads before a film needs it", () => {
    const hls = files().filter((name) => /\bhls-[\w-]+\.js$/.test(name));
    expect(hls).toHaveLength(1);
    expect(sum(hls)).toBeLessThanOrEqual(HLS_GZIP_BYTES);
    expect(indexHtml()).not.toContain("hls");
  });

  test("it has no fonts, and nothing in it names another host", () => {
    expect(files().filter((name) => /\.(?:woff2?|ttf|otf|eot)$/.test(name))).toEqual([]);
    const named = files()
      .filter((name) => /\.(?:html|js|css|svg|json|webmanifest)$/.test(name))
      .flatMap(
        (name) =>
          readFileSync(join(WEB_DIST, name), "utf8").match(
            // Not the end of a regular expression: /…\//i.test(
            /(?:https?:)?\/\/(?!\w+\.test\()[\w.-]+\.[a-z]{2,}[^"'`\s)]*/gi,
          ) ?? [],
      );
    expect(named.filter((url) => !NAMES_ONLY.test(url))).toEqual([]);
  });

  test("it needs nothing that its content policy forbids", () => {
    const html = indexHtml();
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
    expect([...html.matchAll(/<script\b[^>]*>([^<]*)/g)].map((match) => match[1])).toEqual(["", ""]);
  });

  test("it calls nothing that televisions of 2020 lack", () => {
    const scripts = files().filter((name) => name.endsWith(".js"));
    // What is read as a property of self is asked for before it is used; ?.5 is a number.
    const missing =
      /\.(?:allSettled|replaceAll|replaceChildren|flatMap|matchAll|toSorted|toReversed|findLast|at|throwIfAborted)\(|\b(?:structuredClone|Object\.fromEntries|AggregateError|WeakRef|(?<!self\.)ResizeObserver)\b|\?\?|\?\.[A-Za-z_$([]/;
    for (const name of scripts) expect(readFileSync(join(WEB_DIST, name), "utf8")).not.toMatch(missing);
    const styles = files().filter((name) => name.endsWith(".css"));
    for (const name of styles) {
      const text = readFileSync(join(WEB_DIST, name), "utf8");
      expect(text).not.toMatch(
        /:is\(|:where\(|:has\(|@layer|@container|color-mix|[{;](?:gap|inset|aspect-ratio):|\d(?:dvh|svh)\b|(?:clamp|min|max)\(/,
      );
    }
  });
});
