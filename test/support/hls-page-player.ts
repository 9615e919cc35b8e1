// A viewer with a browser: Chromium with the page of web-hls-page.ts, under the server's own address but without its
// login, so that the link alone opens what is played. Every wait is bounded.

import { join } from "node:path";
import type { Page } from "playwright-core";
import type { PagePlayer } from "./hls-page-port.ts";
import type { WebBrowser } from "./web-browser.ts";

const PAGE_PATH = "/hls-page-of-tests";
const WAIT_MS = 40_000;
const HTML = `<!doctype html><meta charset="utf-8"><title>hls.js</title><style>video{width:320px}</style>
<video></video><button>Play</button><script src="${PAGE_PATH}/player.js"></script>`;

let bundle: Promise<string> | undefined;

export class HlsPagePlayer {
  readonly page: Page;
  /** Errors of the page, requests to other hosts. */
  readonly problems: readonly string[];

  private constructor(page: Page, problems: readonly string[]) {
    this.page = page;
    this.problems = problems;
  }

  static async open(browser: WebBrowser, origin: string): Promise<HlsPagePlayer> {
    const { page, problems } = await browser.open([new URL(origin).host]);
    bundle ??= bundled();
    const script = await bundle;
    await page.route(`${origin}${PAGE_PATH}**`, (route) => {
      const isScript = route.request().url().endsWith(".js");
      const contentType = isScript ? "text/javascript" : "text/html";
      return route.fulfill({ body: isScript ? script : HTML, contentType });
    });
    await page.goto(`${origin}${PAGE_PATH}`);
    // A click is what lets a page make sound.
    await page.click("button");
    return new HlsPagePlayer(page, problems);
  }

  /** Calls the page's player and waits for what it gives. */
  async call<Name extends MethodName>(
    name: Name,
    ...args: Parameters<PagePlayer[Name]>
  ): Promise<Given<Name>> {
    const answer = this.page.evaluate(
      ([method, values]) => {
        const { player } = globalThis as unknown as { player: PagePlayer };
        const call = player[method] as (...args: unknown[]) => unknown;
        return Promise.race([player.broken, call.apply(player, values)]);
      },
      [name, args as unknown[]] as const,
    );
    return (await bounded(answer, () => this.#state(name))) as Given<Name>;
  }

  async list<Name extends "parts" | "events">(name: Name): Promise<PagePlayer[Name]> {
    const read = (key: string) => (globalThis as unknown as { player: Record<string, unknown> }).player[key];
    return (await this.page.evaluate(read, name)) as PagePlayer[Name];
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  async #state(what: string): Promise<string> {
    const [figures, events] = [await this.call("figures"), await this.list("events")];
    return `${what} did not come in ${WAIT_MS} ms: ${JSON.stringify({ figures, events: events.slice(-12) })}`;
  }
}

type MethodName = {
  [Name in keyof PagePlayer]: PagePlayer[Name] extends (...args: never) => unknown ? Name : never;
}[keyof PagePlayer];
type Given<Name extends MethodName> = Awaited<ReturnType<PagePlayer[Name]>>;

async function bounded<T>(answer: Promise<T>, what: () => Promise<string>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => void what().then((text) => late.reject(new Error(text)), late.reject),
    WAIT_MS,
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function bundled(): Promise<string> {
  const entry = join(import.meta.dir, "web-hls-page.ts");
  const built = await Bun.build({ entrypoints: [entry], target: "browser", format: "iife" });
  const [script] = built.outputs;
  if (script === undefined) throw new Error("the page was not bundled");
  return await script.text();
}
