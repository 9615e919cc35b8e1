// Over real sockets; the proxy's test runs in a process of its own, as the environment is read when a process starts.

import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileSource } from "../../../../src/services/media/file-source.ts";

const MODULE = new URL("../../../../src/services/media/file-source.ts", import.meta.url).pathname;
const FOREVER = new AbortController().signal;
const servers: Server[] = [];

/** Its URL. */
async function serving(answer: (response: ServerResponse, path: string) => void): Promise<string> {
  const server = createServer((request, response) => answer(response, request.url ?? ""));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const readFrom = (url: string, signal = FOREVER) => fileSource({ url }, 1_000).read(10, 20, signal);

describe("the source of a file", () => {
  test("asks no proxy: its address carries a token", async () => {
    const proxied: string[] = [];
    const proxy = await serving((response, path) => {
      proxied.push(path);
      response.writeHead(206).end("x".repeat(20));
    });
    const url = await serving((response) => response.writeHead(206).end("o".repeat(20)));
    const script = `
      const { fileSource } = await import(${JSON.stringify(MODULE)});
      const bytes = await fileSource({ url: ${JSON.stringify(url)} }, 1000).read(10, 20, new AbortController().signal);
      console.log(new TextDecoder().decode(bytes));`;
    const env = { ...process.env, HTTP_PROXY: proxy, http_proxy: proxy, NO_PROXY: "", no_proxy: "" };
    const child = Bun.spawn([process.execPath, "-e", script], { env, stdout: "pipe", stderr: "inherit" });
    expect((await new Response(child.stdout).text()).trim()).toBe("o".repeat(20));
    expect(proxied).toEqual([]);
  });

  test("is busy where the answer is cut off, in its body or before it", async () => {
    const inBody = await serving((response) => {
      response.writeHead(206, { "content-length": 20 }).write("ooo");
      setImmediate(() => response.destroy());
    });
    await expect(readFrom(inBody)).rejects.toMatchObject({ code: "busy", retryAfterSec: 2 });
    const before = await serving((response) => response.destroy());
    await expect(readFrom(before)).rejects.toMatchObject({ code: "busy", retryAfterSec: 2 });
    const short = await serving((response) => response.writeHead(206).end("ooo"));
    await expect(readFrom(short)).rejects.toMatchObject({ code: "busy" });
  });

  test("fails as the byte path says", async () => {
    const told = (code: string, headers = {}) => {
      return serving((response) => {
        response.writeHead(400, headers).end(JSON.stringify({ error: { code, message: "said so" } }));
      });
    };
    await expect(readFrom(await told("not_found"))).rejects.toMatchObject({
      code: "not_found",
      message: "said so",
    });
    await expect(readFrom(await told("busy", { "retry-after": "7" }))).rejects.toMatchObject({
      code: "busy",
      retryAfterSec: 7,
    });
    await expect(readFrom(await told("nonsense"))).rejects.toMatchObject({ code: "internal" });
  });

  test("ends with its signal, and for its reason", async () => {
    const reason = new Error("gone");
    const begun = Promise.withResolvers<void>();
    const url = await serving((response) => {
      response.writeHead(206, { "content-length": 20 }).write("ooo");
      begun.resolve();
    });
    const leaving = new AbortController();
    const reading = readFrom(url, leaving.signal);
    await begun.promise;
    leaving.abort(reason);
    await expect(reading).rejects.toBe(reason);
    await expect(readFrom(url, leaving.signal)).rejects.toBe(reason);
  });
});
