// A real libtorrent DHT node as a child process, told by JSON lines.

import { join } from "node:path";

type Said = Readonly<Record<string, unknown>> & { readonly event: string };

export class LibtorrentNode {
  readonly host: string;
  #port = 0;
  readonly #child: Bun.Subprocess<"pipe", "pipe", "inherit">;
  readonly #said: Said[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(host: string) {
    this.host = host;
    this.#child = Bun.spawn(
      ["/usr/bin/python3", "-W", "ignore", join(import.meta.dir, "libtorrent-node.py"), host],
      {
        stdin: "pipe",
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    void this.#read();
  }

  static async start(host: string): Promise<LibtorrentNode> {
    const node = new LibtorrentNode(host);
    const ready = await node.next((said) => said.event === "ready", 10_000);
    node.#port = Number(ready["port"]);
    return node;
  }

  get address(): { host: string; port: number } {
    return { host: this.host, port: this.#port };
  }

  tell(command: Readonly<Record<string, unknown>>): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    void this.#child.stdin.flush();
  }

  /** The first thing said, now or later, that `matches`. */
  next(matches: (said: Said) => boolean, timeoutMs: number): Promise<Said> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(
          new Error(
            `libtorrent at ${this.host} did not say it; it said ${JSON.stringify(this.#said.slice(-5))}`,
          ),
        );
      }, timeoutMs);
      const look = () => {
        const index = this.#said.findIndex(matches);
        if (index < 0) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(this.#said.splice(index, 1)[0]!);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async #read(): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#said.push(JSON.parse(line));
      for (const look of [...this.#waiting]) look();
    }
  }
}
