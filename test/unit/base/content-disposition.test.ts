import { expect, test } from "bun:test";
import { contentDisposition } from "../../../src/base/content-disposition.ts";

test("any name makes one clean header and is read back whole (B4 #19)", () => {
  const names = [
    "plain.mkv",
    "é日本 день.mkv",
    'a"b\\c;d%41.mkv',
    "line\r\nSet-Cookie: x=1.mkv",
    "tab\tnul\0.mkv",
    "emoji 🎬 '()*.mkv",
    "x".repeat(300),
    "\u202ebidi\u202c.mkv",
  ];
  for (const name of names) {
    const header = contentDisposition(name, true);
    expect(header).toMatch(/^inline; filename="[\x20-\x7e]*"; filename\*=UTF-8''[\w.!#$&+^`|~%-]+$/);
    expect(header.slice(0, header.indexOf('"; filename*')).split('"').length).toBe(2);
    expect(decodeURIComponent(header.slice(header.indexOf("''") + 2))).toBe(name);
  }
  expect(contentDisposition("half \ud800.mkv", false)).toStartWith("attachment; ");
});
