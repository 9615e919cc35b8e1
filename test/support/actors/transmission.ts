// transmission-daemon with one torrent: seeds what lies in a folder, or fetches. It refuses peers on 127/8, so it needs
// the private network. DHT, PEX, LPD and uTP are off. It decides whom to unchoke every 10 s and not when somebody comes:
// a first byte from it may take that long.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.ts";
import { PRIVATE_ADDRESS } from "../namespace.ts";
import { startProcess, type TestProcess } from "../process.ts";
import { tmpFolder } from "../tmp.ts";
import { type Actor, askUntil, kibPerSec } from "./actor.ts";

export interface TransmissionOptions {
  /** A .torrent file; or a magnet link. One of the two. It knows no x.pe: only a tracker gives it a peer. */
  readonly torrentPath?: string;
  readonly magnet?: string;
  readonly saveFolder: string;
  /** Bytes/s, rounded to KiB/s. */
  readonly uploadLimit?: number;
  readonly downloadLimit?: number;
}

export interface TransmissionState {
  readonly percentDone: number;
  /** 6 = seeding. */
  readonly status: number;
  readonly rateDownload: number;
  readonly rateUpload: number;
  readonly uploadedEver: number;
  readonly errorString: string;
}

const FIELDS = ["percentDone", "status", "rateDownload", "rateUpload", "uploadedEver", "errorString"];
const SEEDING = 6;

export class TransmissionPeer implements Actor {
  readonly host = PRIVATE_ADDRESS;
  readonly port: number;
  readonly process: TestProcess;
  readonly #rpcUrl: string;
  #session = "";

  private constructor(port: number, rpcPort: number, options: TransmissionOptions) {
    this.port = port;
    this.#rpcUrl = `http://127.0.0.1:${rpcPort}/transmission/rpc`;
    const home = tmpFolder("transmission");
    writeFileSync(join(home, "settings.json"), JSON.stringify(settingsOf(port, rpcPort, options)));
    this.process = startProcess(["transmission-daemon", "-f", "-g", home], {
      env: { HOME: home, TR_CURL_PROXY_SSL_VERIFY: undefined },
    });
  }

  /** Resolves when it has the torrent; a seeder has checked its data by then. */
  static async start(options: TransmissionOptions): Promise<TransmissionPeer> {
    const peer = new TransmissionPeer(await freePort(PRIVATE_ADDRESS), await freePort(), options);
    await askUntil(peer.process, "transmission's RPC", () => peer.#call("session-get", {}));
    const source =
      options.torrentPath === undefined
        ? { filename: options.magnet }
        : { metainfo: readFileSync(options.torrentPath).toString("base64") };
    await peer.#call("torrent-add", { ...source, "download-dir": options.saveFolder, paused: false });
    return peer;
  }

  static async seed(options: TransmissionOptions): Promise<TransmissionPeer> {
    const peer = await TransmissionPeer.start(options);
    await peer.waitForComplete();
    return peer;
  }

  get peer(): string {
    return `${this.host}:${this.port}`;
  }

  async state(): Promise<TransmissionState> {
    const answer = await this.#call("torrent-get", { fields: FIELDS });
    const torrents = answer["torrents"] as TransmissionState[] | undefined;
    if (torrents?.[0] === undefined) throw new Error("transmission has no torrent");
    return torrents[0];
  }

  async waitForComplete(withinMs = 30_000): Promise<TransmissionState> {
    return await askUntil(
      this.process,
      "transmission complete",
      async () => {
        const state = await this.state();
        return state.percentDone === 1 && state.status === SEEDING ? state : null;
      },
      withinMs,
    );
  }

  async stop(): Promise<void> {
    await this.process.stop("SIGKILL");
  }

  /** The first call is refused with the session id that the others carry. */
  async #call(method: string, args: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const response = await fetch(this.#rpcUrl, {
        method: "POST",
        headers: { "X-Transmission-Session-Id": this.#session },
        body: JSON.stringify({ method, arguments: args }),
        signal: AbortSignal.timeout(10_000),
      });
      if (response.status === 409) {
        this.#session = response.headers.get("X-Transmission-Session-Id") ?? "";
        continue;
      }
      const answer = (await response.json()) as { result: string; arguments: Record<string, unknown> };
      if (answer.result !== "success") throw new Error(`transmission: ${method}: ${answer.result}`);
      return answer.arguments;
    }
    throw new Error(`transmission: ${method}: no session`);
  }
}

function settingsOf(port: number, rpcPort: number, options: TransmissionOptions): Record<string, unknown> {
  return {
    "bind-address-ipv4": PRIVATE_ADDRESS,
    "bind-address-ipv6": "::1",
    "peer-port": port,
    "peer-port-random-on-start": false,
    "port-forwarding-enabled": false,
    "dht-enabled": false,
    "lpd-enabled": false,
    "pex-enabled": false,
    "utp-enabled": false,
    "rpc-enabled": true,
    "rpc-bind-address": "127.0.0.1",
    "rpc-port": rpcPort,
    "rpc-authentication-required": false,
    "rpc-whitelist-enabled": false,
    "rpc-host-whitelist-enabled": false,
    "download-dir": options.saveFolder,
    "incomplete-dir-enabled": false,
    "rename-partial-files": false,
    "ratio-limit-enabled": false,
    "idle-seeding-limit-enabled": false,
    "speed-limit-up-enabled": options.uploadLimit !== undefined,
    "speed-limit-up": kibPerSec(options.uploadLimit ?? 0),
    "speed-limit-down-enabled": options.downloadLimit !== undefined,
    "speed-limit-down": kibPerSec(options.downloadLimit ?? 0),
    "start-added-torrents": true,
    "cache-size-mb": 4,
  };
}
