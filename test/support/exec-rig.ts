// torrx-exec around a program that tries things and prints what the system says (fake-ffmpeg.cc), both in a folder that
// everybody may read, which folders of tests are not.

import { expect } from "bun:test";
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXEC_PATH } from "../../native/exec-path.ts";
import { fakeFfmpeg } from "./fake-ffmpeg.ts";

export const SYSTEM = ["/usr/lib", "/usr/lib64", "/lib", "/lib64"].flatMap((path) => ["--run", path]);

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class ExecRig {
  readonly home = mkdtempSync(join(tmpdir(), "torrx-exec-"));
  readonly exec = join(this.home, "torrx-exec");
  readonly program = join(this.home, "ffmpeg");
  /** A file that everybody may read and write. */
  readonly secret = join(this.home, "secret");
  readonly #listeners: readonly Server[];

  private constructor(listeners: readonly Server[], program: string) {
    this.#listeners = listeners;
    chmodSync(this.home, 0o755);
    copyFileSync(EXEC_PATH, this.exec);
    copyFileSync(program, this.program);
    writeFileSync(this.secret, "secret");
    chmodSync(this.secret, 0o666);
  }

  static async make(): Promise<ExecRig> {
    return new ExecRig(await Promise.all([listen(), listen()]), await fakeFfmpeg());
  }

  close(): void {
    for (const listener of this.#listeners) listener.close();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Two where somebody listens. */
  get ports(): readonly [number, number] {
    const [ours = 0, other = 0] = this.#listeners.map(portOf);
    return [ours, other];
  }

  /** The command line that starts the program with these options and arguments. */
  words(options: readonly string[], ...argv: string[]): string[] {
    const sandbox = ["--parent", String(process.pid), ...SYSTEM, "--run", this.program, ...options];
    return [...sandbox, "--", this.program, "ffmpeg", ...argv];
  }

  /** torrx-exec, with the words of another command in front of it. */
  run(words: readonly string[], before: readonly string[] = []): Promise<Ended> {
    return runToEnd([...before, this.exec, ...words]);
  }

  /** What the system says to each try: "ok", or an error's name. */
  async tries(
    options: readonly string[],
    lines: readonly string[],
    before: readonly string[] = [],
  ): Promise<Record<string, string>> {
    const { stdout, stderr, code } = await this.run(this.words(options, "try", ...lines), before);
    expect([code, stderr]).toEqual([0, ""]);
    const told = stdout.trim().split("\n");
    expect(told).toHaveLength(lines.length);
    return Object.fromEntries(told.map((line) => line.split(": ") as [string, string]));
  }
}

export async function runToEnd(command: readonly string[], env = {}): Promise<Ended> {
  const child = Bun.spawn([...command], { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return { code: child.exitCode, stdout, stderr };
}

async function listen(): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}
