import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { TorrxError } from "../../../src/base/errors.ts";
import { send, sendRaw } from "../../support/api-client.ts";
import {
  AUTHORIZATION,
  COMPLETE,
  contentAt,
  EMPTY,
  INCOMPLETE,
  LENGTH,
  ODD,
  ODD_NAME,
  PAGE,
  startFront,
  type TestFront,
  TORRENT,
} from "../../support/api-front.ts";
import { readCold } from "../../support/cached-reads.ts";
import { FakeClock } from "../../support/fake-clock.ts";

let front: TestFront;
let coldFront: TestFront;
beforeAll(async () => {
  front = await startFront();
  coldFront = await startFront({ readCached: readCold });
});
afterAll(async () => {
  await front.close();
  await coldFront.close();
});

const pathOf = (file: number) => `/api/stream/${TORRENT}/${file}`;
const get = (file: number, headers: Record<string, string> = {}, method = "GET", from = front) =>
  send(from.port, pathOf(file), { method, headers: { authorization: AUTHORIZATION, ...headers } });
const DATE = "Fri, 02 Jan 2026 03:04:05 GMT";

/** Headers, status, first byte, one past the last; null = no bytes. */
const TABLE: [Record<string, string>, number, [number, number] | null][] = [
  [{}, 200, [0, LENGTH]],
  [{ range: "bytes=0-0" }, 206, [0, 1]],
  [{ range: "bytes=0-99" }, 206, [0, 100]],
  [{ range: "bytes=65535-65537" }, 206, [65_535, 65_538]],
  [{ range: `bytes=0-${LENGTH - 1}` }, 206, [0, LENGTH]],
  [{ range: `bytes=100-${LENGTH + 100}` }, 206, [100, LENGTH]],
  [{ range: "bytes=700000-" }, 206, [700_000, LENGTH]],
  [{ range: `bytes=${LENGTH - 1}-` }, 206, [LENGTH - 1, LENGTH]],
  [{ range: "bytes=-1" }, 206, [LENGTH - 1, LENGTH]],
  [{ range: "bytes=-600000" }, 206, [LENGTH - 600_000, LENGTH]],
  [{ range: `bytes=-${LENGTH + 5}` }, 206, [0, LENGTH]],
  [{ range: `bytes=${LENGTH}-` }, 416, null],
  [{ range: `bytes=${LENGTH + 1}-${LENGTH + 5}` }, 416, null],
  [{ range: "bytes=-0" }, 416, null],
  [{ range: "bytes=1-2,5-6" }, 200, [0, LENGTH]],
  [{ range: "bytes=2-1" }, 200, [0, LENGTH]],
  [{ range: "bytes=abc" }, 200, [0, LENGTH]],
  [{ range: "lines=1-2" }, 200, [0, LENGTH]],
  [{ range: "bytes=5-9", "if-range": "ETAG" }, 206, [5, 10]],
  [{ range: "bytes=5-9", "if-range": '"other"' }, 200, [0, LENGTH]],
  [{ range: "bytes=5-9", "if-range": "W/ETAG" }, 200, [0, LENGTH]],
  [{ range: "bytes=5-9", "if-range": DATE }, 206, [5, 10]],
  [{ range: "bytes=5-9", "if-range": "Fri, 02 Jan 2026 03:04:06 GMT" }, 200, [0, LENGTH]],
  [{ "if-none-match": "ETAG" }, 304, null],
  [{ "if-none-match": '"other"' }, 200, [0, LENGTH]],
  [{ "if-none-match": "ETAG", range: "bytes=1-2" }, 304, null],
  [{ "if-modified-since": DATE }, 304, null],
  [{ "if-match": '"other"' }, 412, null],
  [{ "if-match": "ETAG", range: "bytes=1-2" }, 206, [1, 3]],
];

for (const [name, file, from] of [
  ["a complete file", COMPLETE, () => front],
  ["a complete file on a disk that must be waited for", COMPLETE, () => coldFront],
  ["a file that is still incomplete", INCOMPLETE, () => front],
] as const) {
  describe(`ranges of ${name}`, () => {
    for (const [wanted, status, bytes] of TABLE) {
      const etag = `"${TORRENT}-${file}"`;
      const headers = Object.fromEntries(
        Object.entries(wanted).map(([key, value]) => [key, value.replace("ETAG", etag)]),
      );
      test(`${JSON.stringify(wanted)} → ${status}`, async () => {
        const answer = await get(file, headers, "GET", from());
        expect(answer.status).toBe(status);
        expect(answer.headers.has("transfer-encoding")).toBe(false);
        expect(answer.headers.get("content-range")).toBe(
          status === 416
            ? `bytes */${LENGTH}`
            : status === 206 && bytes !== null
              ? `bytes ${bytes[0]}-${bytes[1] - 1}/${LENGTH}`
              : undefined!,
        );
        if (bytes === null) {
          if (status !== 416) expect(answer.body.length).toBe(0);
          else expect(JSON.parse(answer.body.toString()).error.code).toBe("range_not_satisfiable");
        } else {
          expect(answer.headers.get("content-length")).toBe(String(bytes[1] - bytes[0]));
          expect(answer.body.equals(contentAt(bytes[0], bytes[1]))).toBe(true);
        }
        if (status !== 416) {
          expect(answer.headers.get("etag")).toBe(etag);
          expect(answer.headers.get("last-modified")).toBe(DATE);
          expect(answer.headers.get("accept-ranges")).toBe("bytes");
        }
        const head = await get(file, headers, "HEAD", from());
        expect(head.status).toBe(status);
        expect(head.body.length).toBe(0);
        const compared = (one: typeof head) => [...one.headers].filter(([key]) => key !== "date");
        expect(compared(head)).toEqual(compared(answer));
      });
    }
  });
}

describe("the byte path", () => {
  test("a file without bytes is 200 and empty, and 416 for any range of it", async () => {
    const whole = await get(EMPTY);
    expect([whole.status, whole.headers.get("content-length"), whole.body.length]).toEqual([200, "0", 0]);
    const range = await get(EMPTY, { range: "bytes=0-" });
    expect([range.status, range.headers.get("content-range")]).toEqual([416, "bytes */0"]);
  });

  test("B4 #4 #19: a difficult name stays in its header, and what is no media is only offered as a download", async () => {
    const odd = await get(ODD, { range: "bytes=0-0" });
    const disposition = odd.headers.get("content-disposition") ?? "";
    expect(disposition).toStartWith("inline; ");
    expect(decodeURIComponent(disposition.split("''")[1] ?? "")).toBe(ODD_NAME);
    const page = await get(PAGE, { range: "bytes=0-0" });
    expect(page.headers.get("content-type")).toBe("application/octet-stream");
    expect(page.headers.get("content-disposition")).toStartWith("attachment; ");
    for (const answer of [odd, page]) {
      expect(answer.headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    }
  });

  test("unknown torrent, unknown file and unknown mode have their own codes and no header of a file", async () => {
    const ask = async (path: string) => {
      const answer = await send(front.port, path, {
        headers: { authorization: AUTHORIZATION, range: "bytes=0-1" },
      });
      expect(answer.headers.get("etag")).toBeUndefined();
      return [answer.status, JSON.parse(answer.body.toString()).error.code];
    };
    expect(await ask(`/api/stream/${"00".repeat(20)}/0`)).toEqual([404, "not_found"]);
    expect(await ask(pathOf(99))).toEqual([404, "not_found"]);
    expect(await ask(`${pathOf(0)}?mode=canary`)).toEqual([422, "validation"]);
    for (const mode of ["auto", "direct"]) {
      const answer = await send(front.port, `${pathOf(0)}?mode=${mode}`, {
        headers: { authorization: AUTHORIZATION, range: "bytes=0-1" },
      });
      expect(answer.status).toBe(206);
    }
  });

  test("a fault before the first byte is told as an error, after it the connection is cut", async () => {
    front.partial.failure = new TorrxError("disk_full", "no space");
    const early = await get(INCOMPLETE);
    front.partial.failure = null;
    expect(early.status).toBe(507);
    expect(early.headers.get("content-length")).toBe(String(early.body.length));
    expect(early.headers.get("content-range")).toBeUndefined();

    front.partial.haveUntil(100_000);
    const answer = get(INCOMPLETE);
    while (front.partial.open.length === 0) await Bun.sleep(1);
    await Bun.sleep(20);
    front.partial.failure = new TorrxError("not_found", "removed");
    front.partial.wake();
    const late = await answer;
    front.partial.failure = null;
    front.partial.haveUntil(LENGTH);
    expect(late.status).toBe(200);
    expect(late.body.equals(contentAt(0, 100_000))).toBe(true);
    expect(front.partial.open).toEqual([]);
  });

  test("too many connections of one stream are 503 with Retry-After and no header of the file", async () => {
    front.partial.haveUntil(0);
    const waiting = Array.from({ length: 16 }, () => get(INCOMPLETE, { range: "bytes=0-9" }));
    while (front.partial.open.length < 16) await Bun.sleep(1);
    const refused = await get(INCOMPLETE, { range: "bytes=0-9" });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(refused.body.toString()).toContain("stream_limit");
    for (const name of ["etag", "content-range", "accept-ranges", "content-disposition"]) {
      expect(refused.headers.has(name), name).toBe(false);
    }
    front.partial.haveUntil(LENGTH);
    for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(206);
  });

  test("a source that ends too early cuts the connection instead of passing for the whole", async () => {
    front.partial.haveUntil(1_000);
    front.partial.isShort = true;
    const answer = await get(INCOMPLETE, { connection: "keep-alive" });
    expect(answer.headers.get("content-length")).toBe(String(LENGTH));
    expect(answer.body.length).toBe(1_000);
    front.partial.isShort = false;
    front.partial.haveUntil(LENGTH);
  });

  test("headers wait five seconds for the first byte, then go out alone", async () => {
    const clock = new FakeClock();
    const waiting = await startFront({ clock });
    waiting.partial.haveUntil(0);
    const socket = connect(waiting.port, "127.0.0.1");
    let text = "";
    const head = new Promise<void>((resolve) =>
      socket.on("data", (part) => {
        text += part.toString("latin1");
        if (text.includes("\r\n\r\n")) resolve();
      }),
    );
    socket.write(
      `GET ${pathOf(INCOMPLETE)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\n\r\n`,
    );
    while (waiting.partial.open.length === 0) await Bun.sleep(1);
    clock.advance(4_999);
    expect(text).toBe("");
    clock.advance(1);
    await head;
    expect(text).toStartWith("HTTP/1.1 200");
    expect(text).toEndWith("\r\n\r\n");
    expect(text).toContain(`content-length: ${LENGTH}`);
    socket.destroy();
    await waiting.close();
  });

  test("bytes that do not exist yet are waited for, and a reader knows who it serves", async () => {
    front.partial.haveUntil(10);
    const answer = get(INCOMPLETE, {
      range: "bytes=5-29",
      "user-agent": "VLC/3",
      "x-forwarded-for": "203.0.113.9",
    });
    while (front.partial.open.length === 0) await Bun.sleep(1);
    const open = front.partial.open[0];
    expect(open).toMatchObject({ torrent: TORRENT, file: INCOMPLETE, startBytes: 5, endBytes: 30 });
    expect(open?.clientAddress).toBe("127.0.0.1");
    front.partial.haveUntil(LENGTH);
    expect((await answer).body.equals(contentAt(5, 30))).toBe(true);
    expect(front.partial.open).toEqual([]);
  });

  test("one connection serves request after request, and HTTP/1.0 clients get whole bodies", async () => {
    const head = (range: string, last = "") =>
      `GET ${pathOf(0)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\nRange: ${range}\r\n${last}\r\n`;
    const { raw } = await sendRaw(
      front.port,
      head("bytes=0-9") +
        head("bytes=10-19") +
        head("bytes=5000000-") +
        head("bytes=20-29", "Connection: close\r\n"),
    );
    const statuses = [...raw.toString("latin1").matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]);
    expect(statuses).toEqual(["206", "206", "416", "206"]);
    expect(raw.subarray(-10).equals(contentAt(20, 30))).toBe(true);
    const old = await sendRaw(
      front.port,
      `GET ${pathOf(0)} HTTP/1.0\r\nAuthorization: ${AUTHORIZATION}\r\n\r\n`,
    );
    expect(old.status).toBe(200);
    expect(old.headers.has("transfer-encoding")).toBe(false);
    expect(old.body.equals(contentAt(0, LENGTH))).toBe(true);
  });
});

test("ranges asked for in one packet each get their own bytes, though their buffers are used again", async () => {
  for (const from of [front, coldFront]) {
    // Fewer than one stream may have at once: they are answered side by side.
    const starts = Array.from({ length: 12 }, (_, i) => (i * 137_123) % (LENGTH - 400_000));
    const lengthOf = (i: number) => (i % 5 === 0 ? 400_000 : 4_096);
    const requests = starts.map((start, i) => {
      const last = i === starts.length - 1 ? "Connection: close\r\n" : "";
      const range = `bytes=${start}-${start + lengthOf(i) - 1}`;
      return `GET ${pathOf(0)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\nRange: ${range}\r\n${last}\r\n`;
    });
    const { raw } = await sendRaw(from.port, requests.join(""));
    let at = 0;
    for (const [i, start] of starts.entries()) {
      at = raw.indexOf("\r\n\r\n", at) + 4;
      const end = at + lengthOf(i);
      expect(raw.subarray(at, end).equals(contentAt(start, start + lengthOf(i)))).toBe(true);
      at = end;
    }
    expect(raw.length).toBe(at);
  }
});
