// qbittorrent-nox with one torrent: seeds what lies in a folder without checking it, or fetches. DHT, LSD, PEX and uTP
// are off; the web API answers on loopback without a login.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { PRIVATE_ADDRESS } from "../namespace.ts";
import { startProcess, type TestProcess } from "../process.ts";
import { tmpFolder } from "../tmp.ts";
import { type Actor, askUntil, type PeerEnd } from "./actor.ts";

export interface QbittorrentOptions {
  readonly torrentPath?: string;
  readonly magnet?: string;
  readonly saveFolder: string;
  readonly isSeed?: boolean;
  /** Bytes/s of the torrent. */
  readonly uploadLimit?: number;
  readonly downloadLimit?: number;
  readonly peers?: readonly PeerEnd[];
}

export interface QbittorrentState {
  readonly hash: string;
  readonly state: string;
  readonly progress: number;
  readonly dlspeed: number;
  readonly upspeed: number;
  readonly uploaded: number;
}

export class QbittorrentPeer implements Actor {
  readonly host = PRIVATE_ADDRESS;
  readonly port: number;
  readonly process: TestProcess;
  readonly #apiUrl: string;

  private constructor(port: number, webPort: number) {
    this.port = port;
    this.#apiUrl = `http://127.0.0.1:${webPort}/api/v2`;
    const profile = tmpFolder("qbittorrent");
    const folder = join(profile, "qBittorrent", "config");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "qBittorrent.conf"), settingsText(port, webPort));
    this.process = startProcess(["qbittorrent-nox", `--profile=${profile}`], {
      env: { HOME: profile, XDG_RUNTIME_DIR: profile, QT_LOGGING_RULES: "*=false" },
    });
  }

  /** Resolves when it has the torrent; a seeder seeds by then. */
  static async start(options: QbittorrentOptions): Promise<QbittorrentPeer> {
    const peer = new QbittorrentPeer(await freePort(PRIVATE_ADDRESS), await freePort());
    await askUntil(peer.process, "qbittorrent's web API", () => peer.#get("/app/version"));
    await peer.#post("/torrents/add", addForm(options));
    const state = await askUntil(peer.process, "qbittorrent's torrent", () => peer.#tryState());
    for (const other of options.peers ?? []) await peer.connect(other, state.hash);
    if (options.isSeed) await peer.waitForComplete();
    return peer;
  }

  get peer(): string {
    return `${this.host}:${this.port}`;
  }

  async state(): Promise<QbittorrentState> {
    const state = await this.#tryState();
    if (state === null) throw new Error("qbittorrent has no torrent");
    return state;
  }

  async connect(other: PeerEnd, hash?: string): Promise<void> {
    const form = new FormData();
    form.set("hashes", hash ?? (await this.state()).hash);
    form.set("peers", `${other.host}:${other.port}`);
    await this.#post("/torrents/addPeers", form);
  }

  async waitForComplete(withinMs = 30_000): Promise<QbittorrentState> {
    const done = ["uploading", "stalledUP", "forcedUP"];
    return await askUntil(
      this.process,
      "qbittorrent complete",
      async () => {
        const state = await this.state();
        return state.progress === 1 && done.includes(state.state) ? state : null;
      },
      withinMs,
    );
  }

  async stop(): Promise<void> {
    await this.process.stop("SIGKILL");
  }

  async #tryState(): Promise<QbittorrentState | null> {
    const list = JSON.parse(await this.#get("/torrents/info")) as QbittorrentState[];
    return list[0] ?? null;
  }

  async #get(path: string): Promise<string> {
    const response = await fetch(this.#apiUrl + path, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`qbittorrent: ${path}: ${response.status}`);
    return await response.text();
  }

  async #post(path: string, body: FormData): Promise<void> {
    const response = await fetch(this.#apiUrl + path, {
      method: "POST",
      body,
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (!response.ok || text.startsWith("Fail"))
      throw new Error(`qbittorrent: ${path}: ${response.status} ${text}`);
  }
}

function addForm(options: QbittorrentOptions): FormData {
  const form = new FormData();
  if (options.torrentPath === undefined) form.set("urls", options.magnet ?? "");
  else form.set("torrents", new Blob([readFileSync(options.torrentPath)]), "t.torrent");
  form.set("savepath", options.saveFolder);
  form.set("contentLayout", "Original");
  form.set("paused", "false");
  form.set("autoTMM", "false");
  form.set("skip_checking", options.isSeed ? "true" : "false");
  if (options.uploadLimit !== undefined) form.set("upLimit", String(options.uploadLimit));
  if (options.downloadLimit !== undefined) form.set("dlLimit", String(options.downloadLimit));
  return form;
}

function settingsText(port: number, webPort: number): string {
  return `[LegalNotice]
Accepted=true

[BitTorrent]
Session\\Port=${port}
Session\\Interface=lo
Session\\InterfaceName=lo
Session\\InterfaceAddress=${PRIVATE_ADDRESS}
Session\\DHTEnabled=false
Session\\LSDEnabled=false
Session\\PeXEnabled=false
Session\\BTProtocol=TCP
Session\\MultiConnectionsPerIp=true
Session\\IgnoreLimitsOnLAN=false
Session\\QueueingSystemEnabled=false
Session\\Preallocation=false

[Network]
PortForwardingEnabled=false

[Preferences]
WebUI\\Enabled=true
WebUI\\Address=127.0.0.1
WebUI\\Port=${webPort}
WebUI\\LocalHostAuth=false
WebUI\\CSRFProtection=false
WebUI\\HostHeaderValidation=false
WebUI\\UseUPnP=false
`;
}
