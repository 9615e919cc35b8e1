import { describe, expect, test } from "bun:test";
import { StderrTail } from "../../../../src/media/process/stderr-tail.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function tailOf(lengthBytes: number, ...chunks: string[]): string {
  const tail = new StderrTail(lengthBytes);
  for (const chunk of chunks) tail.push(bytes(chunk));
  return tail.text();
}

describe("the tail of stderr", () => {
  test("is all of it while it fits", () => {
    expect(tailOf(16, "one\n", "two\n")).toBe("one\ntwo");
    expect(tailOf(16, "0123456789abcdef")).toBe("0123456789abcdef");
    expect(tailOf(16)).toBe("");
  });

  test("is the last whole lines once it does not", () => {
    expect(tailOf(16, "first line\n", "second\n", "third\n")).toBe("second\nthird");
    expect(tailOf(16, `${"x".repeat(100)}\nlast`)).toBe("last");
  });

  test("is the same however the bytes were cut into chunks", () => {
    const text = Array.from({ length: 50 }, (_, at) => `line ${at}\n`).join("");
    const whole = tailOf(64, text);
    expect(whole).toMatch(/^line 4\d\n.*line 49$/s);
    for (const size of [1, 7, 63, 64, 65, 200]) {
      const tail = new StderrTail(64);
      for (let at = 0; at < text.length; at += size) tail.push(bytes(text.slice(at, at + size)));
      expect(tail.text()).toBe(whole);
    }
  });

  test("names no URL but by its scheme, nor a part of one that was cut off", () => {
    const url = "http://127.0.0.1:8080/internal/SECRET/0?token=SECRET";
    expect(tailOf(1_000, `[http @ 0x1] ${url}: 404\n'${url}'\n`)).toBe(
      "[http @ 0x1] http://… 404\n'http://…'",
    );
    for (let size = 8; size < 120; size++) {
      expect(tailOf(size, "x".repeat(60), `${url} failed`)).not.toContain("SECRET");
    }
  });

  test("names no path that looks like a key", () => {
    expect(tailOf(1_000, "GET /api/stream/abc/0?token=SECRET failed")).toBe("GET /… failed");
    expect(tailOf(1_000, "GET /internal/SECRET/0 failed")).toBe("GET /… failed");
  });

  test("has no control characters but the ends of lines", () => {
    expect(tailOf(1_000, "\u001b[31mred\u001b[0m\rover\r\nnext\u0000\u009b1m\n")).toBe(
      "[31mred [0m\nover\nnext 1m",
    );
  });
});
