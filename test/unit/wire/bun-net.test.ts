import { afterEach, describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import { TorrxError } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { bunPeerNet, createBunPeerNet } from "../../../src/wire/bun-net.ts";
import type { OpenSocket, PeerListener, SocketEvents } from "../../../src/wire/ports.ts";
import { HandClock, turn } from "./links.ts";

const NEVER = new AbortController().signal;
const open: { close(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** Events as promises. */
class Ear implements SocketEvents {
  bytes = 0;
  readonly seen: Uint8Array[] = [];
  isKeeping = true;
  readonly #waiting: { isDue: () => boolean; done: () => void }[] = [];
  drains = 0;
  closed: { error: Error | null } | null = null;
  closes = 0;

  onData(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    if (this.isKeeping) this.seen.push(new Uint8Array(chunk));
    this.#check();
  }

  onDrain(): void {
    this.drains++;
    this.#check();
  }

  onClose(error: Error | null): void {
    this.closed = { error };
    this.closes++;
    this.#check();
  }

  until(isDue: () => boolean): Promise<void> {
    if (isDue()) return Promise.resolve();
    return new Promise((done) => this.#waiting.push({ isDue, done }));
  }

  #check(): void {
    for (const one of this.#waiting) if (one.isDue()) one.done();
  }
}

async function pair(
  host: string,
): Promise<{ client: OpenSocket; server: OpenSocket; listener: PeerListener }> {
  const arrived = Promise.withResolvers<OpenSocket>();
  const listener = await bunPeerNet.listen({ host, port: 0 }, arrived.resolve);
  const client = await bunPeerNet.dial({ host, port: listener.port }, { timeoutMs: 2000, signal: NEVER });
  const server = await arrived.promise;
  open.push(listener, { close: () => client.destroy() }, { close: () => server.destroy() });
  return { client, server, listener };
}

describe("sockets", () => {
  test.each(["127.0.0.1", "::1"])("connect over %s, name their remote, and carry bytes", async (host) => {
    const { client, server, listener } = await pair(host);
    expect(client.remote).toEqual({ host, port: listener.port });
    expect(server.remote.host).toBe(host);
    const ear = new Ear();
    expect(client.write(new Uint8Array([1, 2, 3]))).toBe(3);
    server.start(ear);
    await ear.until(() => ear.bytes === 3);
    expect([...ear.seen[0]!]).toEqual([1, 2, 3]);
  });

  test("a v4 peer of a v6 listener is named by its v4 address", async () => {
    const arrived = Promise.withResolvers<OpenSocket>();
    const listener = await bunPeerNet.listen({ host: "::", port: 0 }, arrived.resolve);
    open.push(listener);
    const client = await bunPeerNet.dial(
      { host: "127.0.0.1", port: listener.port },
      { timeoutMs: 2000, signal: NEVER },
    );
    open.push({ close: () => client.destroy() });
    expect((await arrived.promise).remote.host).toBe("127.0.0.1");
  });

  test("nothing is read before start, nor while paused, and nothing of it is lost", async () => {
    const { client, server } = await pair("127.0.0.1");
    const ear = new Ear();
    const back = new Ear();
    client.start(back);
    client.write(new Uint8Array(1000));
    server.write(new Uint8Array(1));
    await back.until(() => back.bytes === 1);
    // The loop has come round since the bytes were there: unpaused, they would have been read and lost.
    await turn();
    await turn();
    server.start(ear);
    await ear.until(() => ear.bytes === 1000);
    server.pause();
    client.write(new Uint8Array(500));
    server.write(new Uint8Array(1));
    await back.until(() => back.bytes === 2);
    expect(ear.bytes).toBe(1000);
    server.resume();
    await ear.until(() => ear.bytes === 1500);
  });

  test("a pause before start holds beyond it", async () => {
    const { client, server } = await pair("127.0.0.1");
    const ear = new Ear();
    const back = new Ear();
    client.start(back);
    server.pause();
    server.start(ear);
    client.write(new Uint8Array(10));
    server.write(new Uint8Array(1));
    await back.until(() => back.bytes === 1);
    expect(ear.bytes).toBe(0);
    server.resume();
    await ear.until(() => ear.bytes === 10);
  });

  test("a write takes what fits, and onDrain tells when more does", async () => {
    const { client, server } = await pair("127.0.0.1");
    const sender = new Ear();
    const receiver = new Ear();
    receiver.isKeeping = false;
    client.start(sender);
    const total = 32 << 20;
    const bytes = new Uint8Array(total);
    let sent = client.write(bytes);
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(total);
    expect(client.write(bytes.subarray(0, 10))).toBe(0);
    server.start(receiver);
    while (sent < total) {
      const drains = sender.drains;
      const taken = client.write(bytes.subarray(sent));
      sent += taken;
      if (sent < total) await sender.until(() => sender.drains > drains);
    }
    await receiver.until(() => receiver.bytes === total);
  });

  test("onClose comes once on both sides, and writes after it do nothing", async () => {
    const { client, server } = await pair("127.0.0.1");
    const a = new Ear();
    const b = new Ear();
    client.start(a);
    server.start(b);
    client.destroy();
    client.destroy();
    await a.until(() => a.closed !== null);
    await b.until(() => b.closed !== null);
    expect(client.write(new Uint8Array(5))).toBe(0);
    client.pause();
    client.resume();
    expect([a.closes, b.closes]).toEqual([1, 1]);
  });

  test("a close before start is told at start", async () => {
    const { client, server } = await pair("127.0.0.1");
    server.destroy();
    const ear = new Ear();
    client.start(ear);
    await ear.until(() => ear.closed !== null);
    expect(ear.closes).toBe(1);
  });

  test("a listener that throws closes its own socket with that error", async () => {
    const { client, server } = await pair("127.0.0.1");
    const ear = new Ear();
    server.start({
      onData: () => {
        throw new Error("boom");
      },
      onDrain: () => undefined,
      onClose: (error) => ear.onClose(error),
    });
    client.write(new Uint8Array(1));
    await ear.until(() => ear.closed !== null);
    expect(ear.closed?.error?.message).toBe("boom");
  });
});

describe("dial", () => {
  test("rejects where nobody listens", async () => {
    const listener = await bunPeerNet.listen({ host: "127.0.0.1", port: 0 }, () => undefined);
    listener.close();
    const dial = bunPeerNet.dial(
      { host: "127.0.0.1", port: listener.port },
      { timeoutMs: 2000, signal: NEVER },
    );
    await expect(dial).rejects.toThrow();
  });

  test("gives up after its time, and at once when aborted", async () => {
    const full = await fullPort();
    const clock = new HandClock();
    const slow = createBunPeerNet(clock).dial(full, { timeoutMs: 5000, signal: NEVER });
    clock.advance(4999);
    const abort = new AbortController();
    const aborted = createBunPeerNet(systemClock).dial(full, { timeoutMs: 60_000, signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toThrow("aborted");
    clock.advance(1);
    await expect(slow).rejects.toThrow("no connection within 5000 ms");
    const late = bunPeerNet.dial(full, { timeoutMs: 1, signal: abort.signal });
    await expect(late).rejects.toThrow("aborted");
  });
});

describe("connects that were given up", () => {
  test("are bounded while the kernel still tries them, and make room when it stops", async () => {
    const full = await fullPort();
    const net = createBunPeerNet(systemClock);
    const giveUp = async () => {
      const abort = new AbortController();
      const dial = net.dial(full, { timeoutMs: 60_000, signal: abort.signal });
      abort.abort();
      return String(await dial.catch((error: Error) => error.message));
    };
    for (let i = 0; i < LIMITS.peer.abandonedDials; i++) expect(await giveUp()).toContain("aborted");
    expect(await giveUp()).toContain("too many");
    for (const one of open.splice(0)) one.close();
    while ((await giveUp()).includes("too many")) await turn();
  }, 20_000);
});

describe("listen", () => {
  test("a taken port is a start_failed that names it", async () => {
    const { listener } = await pair("127.0.0.1");
    const error = await bunPeerNet
      .listen({ host: "127.0.0.1", port: listener.port }, () => undefined)
      .then(
        () => null,
        (reason: unknown) => reason,
      );
    expect(error).toBeInstanceOf(TorrxError);
    expect((error as TorrxError).code).toBe("start_failed");
    expect((error as TorrxError).message).toContain(String(listener.port));
  });
});

/** A port whose queue of connections is full: a connect to it stays open. */
async function fullPort(): Promise<{ host: string; port: number }> {
  const script = `
import socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)
held = []
for _ in range(4):
    c = socket.socket(); c.setblocking(False)
    try: c.connect(s.getsockname())
    except BlockingIOError: pass
    held.append(c)
print(s.getsockname()[1], flush=True)
sys.stdin.read()`;
  const child = Bun.spawn(["python3", "-c", script], { stdin: "pipe", stdout: "pipe" });
  open.push({ close: () => child.kill() });
  const { value } = await child.stdout.getReader().read();
  return { host: "127.0.0.1", port: Number(new TextDecoder().decode(value)) };
}
