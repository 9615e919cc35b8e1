import { expect, test } from "bun:test";
import { rmSync, symlinkSync, truncateSync } from "node:fs";
import { connect } from "node:net";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { createFront } from "../../../src/front/index.ts";
import { send } from "../../support/api-client.ts";
import {
  AUTHORIZATION,
  INCOMPLETE,
  startFront,
  TORRENT,
  testAccess,
  testStreams,
} from "../../support/api-front.ts";
import { readWarm } from "../../support/cached-reads.ts";
import { FakeClock } from "../../support/fake-clock.ts";

async function frontOn(port: number, host = "127.0.0.1") {
  return createFront({
    host,
    port,
    allowedHosts: [],
    access: await testAccess(),
    streams: testStreams(),
    app: () => new Response(),
    readCached: readWarm,
    loopback: { admit: () => null },
    chooseDelivery: () => "bytes",
    openBody: () => ({ next: () => Promise.resolve(null), close: () => undefined }),
    contentTypeOf: () => "application/octet-stream",
    clock: systemClock,
    log: silentLog,
  });
}

test("a taken port and an address that is not ours stop the start with one line that says what to do", async () => {
  const first = await startFront();
  const taken = await (await frontOn(first.port)).listen().catch((error: unknown) => error);
  expect(taken).toMatchObject({ code: "start_failed" });
  expect((taken as Error).message).toBe(
    `port ${first.port} is taken; stop the other program or set server.port (TORRX_SERVER_PORT)`,
  );
  await first.close();
  const foreign = await (await frontOn(0, "203.0.113.1")).listen().catch((error: unknown) => error);
  expect(foreign).toMatchObject({ code: "start_failed" });
  expect((foreign as Error).message).toStartWith(
    "203.0.113.1 is no address of this machine; set server.host",
  );
});

test("close lets a short answer finish, cuts a long one after its grace, and takes no more", async () => {
  let finish: () => void = () => undefined;
  const app = async () => {
    await new Promise<void>((resolve) => (finish = resolve));
    return Response.json({ done: true });
  };
  const front = await startFront({ app });
  const short = send(front.port, "/x", { headers: { authorization: AUTHORIZATION } });
  front.partial.haveUntil(10);
  const long = send(front.port, `/api/stream/${TORRENT}/${INCOMPLETE}`, {
    headers: { authorization: AUTHORIZATION },
  });
  while (front.partial.open.length === 0) await Bun.sleep(1);
  const closing = front.close(300);
  finish();
  expect((await short).status).toBe(200);
  expect((await long).body.length).toBe(10);
  await closing;
  expect(front.partial.open).toEqual([]);
  const late = await new Promise((resolve) => {
    const socket = connect(front.port, "127.0.0.1");
    socket.on("connect", () => resolve("connected"));
    socket.on("error", () => resolve("refused"));
  });
  expect(late).toBe("refused");
});

test("a front that never listened, or is closed twice, closes", async () => {
  await (await frontOn(0)).close(0);
  const front = await startFront();
  await front.close();
  await front.close();
});

test("a complete file that is gone, replaced by a link or cut short is never served as something else", async () => {
  const streams = testStreams();
  const clock = new FakeClock();
  const front = await startFront({ streams, clock });
  const { diskPath, lengthBytes } = streams.resolve(TORRENT, 0);
  const get = () =>
    send(front.port, `/api/stream/${TORRENT}/0`, { headers: { authorization: AUTHORIZATION } });
  truncateSync(diskPath, 700_000);
  const short = await get();
  expect(short.headers.get("content-length")).toBe(String(lengthBytes));
  expect(short.body.length).toBeLessThan(lengthBytes);
  rmSync(diskPath);
  clock.advance(1_000);
  expect((await get()).status).toBe(404);
  symlinkSync("/etc/passwd", diskPath);
  const link = await get();
  expect(link.status).toBe(404);
  expect(link.body.toString()).not.toContain("root");
  await front.close();
});
