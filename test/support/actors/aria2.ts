// aria2c with one torrent: seeds what lies in a folder, or fetches. DHT, LPD and PEX are off.

import { freePort } from "../free-port.ts";
import { PRIVATE_ADDRESS } from "../namespace.ts";
import { startProcess, type TestProcess } from "../process.ts";
import { tmpFolder } from "../tmp.ts";
import type { Actor } from "./actor.ts";

export interface AriaOptions {
  /** A .torrent file or a magnet link. */
  readonly source: string;
  readonly saveFolder: string;
  readonly isSeed?: boolean;
  /** Bytes/s. */
  readonly uploadLimit?: number;
  readonly downloadLimit?: number;
}

export class AriaPeer implements Actor {
  readonly host = PRIVATE_ADDRESS;
  readonly port: number;
  readonly process: TestProcess;

  private constructor(port: number, options: AriaOptions) {
    this.port = port;
    this.process = startProcess(argvOf(port, options), { env: { HOME: tmpFolder("aria2") } });
  }

  static async start(options: AriaOptions): Promise<AriaPeer> {
    const peer = new AriaPeer(await freePort(PRIVATE_ADDRESS), options);
    await peer.process.waitForLine(`listening on TCP port ${peer.port}`, 20_000);
    if (options.isSeed) await peer.process.waitForLine(/Seeding is over|SEED|seed/i, 20_000);
    return peer;
  }

  get peer(): string {
    return `${this.host}:${this.port}`;
  }

  async stop(): Promise<void> {
    await this.process.stop("SIGKILL");
  }
}

function argvOf(port: number, options: AriaOptions): string[] {
  return [
    "aria2c",
    "--no-conf",
    `--dir=${options.saveFolder}`,
    `--listen-port=${port}`,
    `--interface=${PRIVATE_ADDRESS}`,
    "--enable-dht=false",
    "--enable-dht6=false",
    "--bt-enable-lpd=false",
    "--enable-peer-exchange=false",
    "--disable-ipv6=true",
    "--file-allocation=none",
    "--bt-seed-unverified=true",
    "--seed-ratio=0.0",
    ...(options.isSeed ? [] : ["--seed-time=0"]),
    `--max-upload-limit=${options.uploadLimit ?? 0}`,
    `--max-download-limit=${options.downloadLimit ?? 0}`,
    "--console-log-level=notice",
    "--summary-interval=1",
    "--show-console-readout=false",
    options.source,
  ];
}
