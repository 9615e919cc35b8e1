// What tests of the page share: one server, one browser, and the moves that a person makes again and again.

import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { LibtorrentPeer } from "./actors/libtorrent.ts";
import { type MediaKind, makeMedia } from "./media.ts";
import { PRIVATE_ADDRESS } from "./namespace.ts";
import { tmpFolder } from "./tmp.ts";
import { type MadeTorrent, makeTorrent } from "./torrent-maker.ts";
import { Torrx } from "./torrx.ts";
import { photographed, WebBrowser } from "./web-browser.ts";
import { buildWebIfDue } from "./web-build.ts";

export const PASSWORD = "a password of tests";
const LOGIN = { httpCredentials: { username: "admin", password: PASSWORD } };
const TEST_MS = 45_000;

interface Status {
  readonly streams: readonly { readonly torrent_id: string; readonly readers: number }[];
}

interface PlaySession {
  readonly session: string;
  readonly qualities: readonly string[];
}

export class WebRig {
  readonly browser: WebBrowser;
  #server: Torrx;
  readonly #seeders: LibtorrentPeer[] = [];

  private constructor(server: Torrx, browser: WebBrowser) {
    this.#server = server;
    this.browser = browser;
  }

  static async start(): Promise<WebRig> {
    await buildWebIfDue();
    return new WebRig(...(await Promise.all([startServer({}), WebBrowser.start()])));
  }

  async stop(): Promise<void> {
    await Promise.all([this.browser.close(), ...this.#seeders.map((seeder) => seeder.stop())]);
    await this.#server.stop();
  }

  get server(): Torrx {
    return this.#server;
  }

  /** Where the page is no secure context. */
  get plainOrigin(): string {
    return `http://${PRIVATE_ADDRESS}:${this.#server.port}`;
  }

  get hosts(): string[] {
    return [`127.0.0.1:${this.#server.port}`, `${PRIVATE_ADDRESS}:${this.#server.port}`];
  }

  /** Stops the server; what is returned starts it again with the same data and port. */
  async stopServer(): Promise<() => Promise<void>> {
    const { folder, port } = this.#server;
    await this.#server.stop();
    return async () => {
      this.#server = await startServer({ folder, port });
    };
  }

  async removeAll(): Promise<void> {
    const { body } = await this.#server.call<{ items: { id: string }[] }>("GET", "/api/torrents");
    for (const { id } of body.items) {
      await this.#server.call("DELETE", `/api/torrents/${id}?delete_files=true`);
    }
  }

  /** Bytes/s; 0 = no limit. */
  async seed({ torrentPath, dataFolder }: MadeTorrent, uploadLimit: number): Promise<LibtorrentPeer> {
    const options = { torrentPath, saveFolder: dataFolder, seed: true, uploadLimit } as const;
    const seeder = await LibtorrentPeer.start(options);
    this.#seeders.push(seeder);
    return seeder;
  }

  /** Connections that read the torrent's files now. */
  async readersOf(id: string): Promise<number> {
    const { body } = await this.#server.call<Status>("GET", "/api/status");
    const own = body.streams.filter((stream) => stream.torrent_id === id);
    return own.reduce((sum, { readers }) => sum + readers, 0);
  }

  /** Resolves once the server knows what it can encode, and offers it for the torrent's first file. */
  async waitForEncoder(id: string): Promise<void> {
    const path = `/api/stream/${id}/0/session`;
    for (;;) {
      const { body } = await this.#server.call<PlaySession>("POST", path, { mode: "hls" });
      await this.#server.call("POST", `${path}/${body.session}/end`);
      if (body.qualities.length > 1) return;
      await Bun.sleep(200);
    }
  }
}

async function startServer({ folder, port }: { folder?: string; port?: number }): Promise<Torrx> {
  return await Torrx.start({
    ...(folder === undefined ? {} : { folder }),
    password: PASSWORD,
    env: { TORRX_SERVER_HOST: "0.0.0.0", TORRX_SERVER_PORT: String(port ?? 0) },
  });
}

/** A video of about 150 KB/s; each length makes a torrent of its own. */
export async function makeVideo(kind: MediaKind, durationSec: number): Promise<MadeTorrent> {
  const media = await makeMedia({ kind, durationSec, bytesPerSec: 150_000 });
  return await makeTorrent(media.path, { pieceBytes: 64 * 1024 });
}

/** Two small videos' worth of noise below one folder. */
export async function makeSeries(): Promise<MadeTorrent> {
  const folder = join(tmpFolder("series"), "Series");
  mkdirSync(folder);
  for (const name of ["E01.mp4", "E02.mp4"]) {
    writeFileSync(join(folder, name), crypto.getRandomValues(new Uint8Array(60_000)));
  }
  return await makeTorrent(folder, { pieceBytes: 16 * 1024 });
}

/** A test with a page of its own, which must end without violations of the policy, errors and foreign requests. */
export function onPage(
  rig: () => WebRig,
  title: string,
  use: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): void {
  const run = async () => {
    const { page, problems } = await rig().browser.open(rig().hosts, { ...LOGIN, ...options });
    try {
      await photographed(page, title, async () => {
        await page.goto(rig().server.origin);
        await use(page);
      });
      expect(problems).toEqual([]);
    } finally {
      await page.context().close();
      await rig().removeAll();
    }
  };
  test(title, run, TEST_MS);
}

export function rowOf(page: Page, name: string): Locator {
  return page
    .getByRole("list", { name: "Torrents" })
    .locator("> li")
    .filter({ has: page.getByRole("heading", { name, exact: true }) });
}

export async function addText(page: Page, text: string): Promise<void> {
  await page.getByLabel("Magnet link, info hash").fill(text);
  await page.getByRole("button", { name: "Add", exact: true }).click();
}

/** Pastes or drops on the page's body, as far from a field as can be. */
export async function give(
  page: Page,
  type: "paste" | "drop",
  what: { readonly text?: string; readonly file?: Uint8Array },
): Promise<void> {
  const base64 = what.file === undefined ? "" : Buffer.from(what.file).toString("base64");
  await page.evaluate(
    ([kind, text, file]) => {
      const data = new DataTransfer();
      if (text !== "") data.setData("text/plain", text);
      if (file !== "") {
        const content = Uint8Array.from(atob(file), (char) => char.charCodeAt(0));
        data.items.add(new File([content], "dropped.torrent"));
      }
      const init = { bubbles: true, cancelable: true };
      const event =
        kind === "paste"
          ? new ClipboardEvent("paste", { ...init, clipboardData: data })
          : new DragEvent("drop", { ...init, dataTransfer: data });
      document.body.dispatchEvent(event);
    },
    [type, what.text ?? "", base64] as const,
  );
}

/** Resolves once the picture has advanced beyond `sec`. */
export async function waitForPicture(page: Page, sec: number): Promise<void> {
  await page.waitForFunction((at) => (document.querySelector("video")?.currentTime ?? 0) > at, sec, {
    timeout: 30_000,
  });
}
