// Debian's Chromium as a user of the page. Every page watches itself: what its policy blocks, what throws, and what
// is asked of any other host is kept and must be nothing.

import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const VIOLATION = "policy violation:";

export interface WebUser {
  readonly page: Page;
  /** Violations of the policy, uncaught errors, requests to other hosts. */
  readonly problems: string[];
}

export class WebBrowser {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<WebBrowser> {
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      headless: true,
      args: FLAGS,
      timeout: 30_000,
    });
    return new WebBrowser(browser);
  }

  /** A profile of its own with one page; `hosts` are the only ones that it may ask anything of. */
  async open(hosts: readonly string[], options: BrowserContextOptions = {}): Promise<WebUser> {
    const context = await this.#browser.newContext({ reducedMotion: "reduce", ...options });
    context.setDefaultTimeout(10_000);
    await context.addInitScript((prefix: string) => {
      globalThis.addEventListener("securitypolicyviolation", (event) => {
        const { violatedDirective, blockedURI } = event as unknown as Record<string, string>;
        console.error(prefix, violatedDirective, blockedURI);
      });
    }, VIOLATION);
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("console", (message) => {
      if (message.text().startsWith(VIOLATION)) problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
    context.on("request", (request) => {
      const { host, protocol } = new URL(request.url());
      if (protocol !== "data:" && protocol !== "blob:" && !hosts.includes(host)) problems.push(request.url());
    });
    return { page, problems };
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** Runs `use`; when it fails, a picture of the page is left in the folder of temporary files, and the error says where. */
export async function photographed(page: Page, name: string, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } catch (error) {
    const folder = join(tmpdir(), "torrx-web-failures");
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${name.replace(/\W+/g, "-").slice(0, 80)}.png`);
    await page.screenshot({ path, timeout: 5_000 }).catch(() => undefined);
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n(picture: ${path})`, {
      cause: error,
    });
  }
}
