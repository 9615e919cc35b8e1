// The load generator of serve.ts (http-load.cc): compiled when it is first needed, run as a process of its own.

import { join } from "node:path";
import { tmpFolder } from "../support/tmp.ts";

/** Where one server offers the measured file. */
export interface Place {
  readonly port: number;
  readonly path: string;
  readonly authorization?: string;
}

export interface WholeFigures {
  readonly bytes: number;
  readonly sec: number;
}

export interface RangeFigures {
  readonly requests: number;
  readonly sec: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

export interface RangeLoad {
  readonly connections: number;
  readonly requests: number;
  /** The same bytes on the disk, to compare with. */
  readonly file: string;
  /** Ranges are taken from the file's first bytes only. */
  readonly spanBytes: number;
  readonly seed: number;
  readonly pauseUs?: number;
}

export class HttpLoad {
  readonly #program: string;

  private constructor(program: string) {
    this.#program = program;
  }

  static async compile(): Promise<HttpLoad> {
    const program = join(tmpFolder("http-load"), "http-load");
    const source = join(import.meta.dir, "http-load.cc");
    await run([process.env["CXX"] ?? "g++", "-std=c++20", "-O2", "-o", program, source]);
    return new HttpLoad(program);
  }

  async whole(place: Place, connections: number): Promise<WholeFigures> {
    return await this.#run<WholeFigures>({ ...place, whole: 1, connections });
  }

  async ranges(place: Place, load: RangeLoad): Promise<RangeFigures> {
    return await this.#run<RangeFigures>({ ...place, ...load });
  }

  async #run<T>(values: object): Promise<T> {
    const texts = Object.entries(values).map(([key, value]) => `${key}=${value}`);
    return JSON.parse(await run([this.#program, ...texts])) as T;
  }
}

async function run(argv: readonly string[]): Promise<string> {
  const child = Bun.spawn([...argv], { stdout: "pipe", stderr: "inherit" });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`${argv[0]} failed`);
  return text;
}
