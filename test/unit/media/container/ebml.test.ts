import { describe, expect, test } from "bun:test";
import { ElementCursor, elementHeaderAt } from "../../../../src/media/container/ebml.ts";
import { bytesOf, element, float64, type Part, u32, u64 } from "../../../support/media-bytes.ts";

function first(...parts: readonly Part[]): ElementCursor {
  const cursor = new ElementCursor(bytesOf(...parts));
  expect(cursor.next()).toBe(true);
  return cursor;
}

describe("EBML", () => {
  test("headers with IDs of one to four bytes and sizes of one to eight", () => {
    expect(elementHeaderAt(bytesOf(0xec, 0x81), 0)).toEqual({ id: 0xec, headerBytes: 2, dataBytes: 1 });
    expect(elementHeaderAt(bytesOf(9, 0x42, 0x86, 0x40, 0x05), 1)).toEqual({
      id: 0x4286,
      headerBytes: 4,
      dataBytes: 5,
    });
    expect(elementHeaderAt(bytesOf(0x2a, 0xd7, 0xb1, 0x83), 0)).toEqual({
      id: 0x2ad7b1,
      headerBytes: 4,
      dataBytes: 3,
    });
    const long = bytesOf(0x1a, 0x45, 0xdf, 0xa3, 0x01, u64(1234).subarray(1));
    expect(elementHeaderAt(long, 0)).toEqual({ id: 0x1a45dfa3, headerBytes: 12, dataBytes: 1234 });
  });

  test("sizes of all ones are unknown, in every width", () => {
    expect(elementHeaderAt(bytesOf(0xec, 0xff), 0)?.dataBytes).toBeNull();
    expect(elementHeaderAt(bytesOf(0xec, 0x7f, 0xff), 0)?.dataBytes).toBeNull();
    expect(elementHeaderAt(bytesOf(0xec, 0x01, new Uint8Array(7).fill(0xff)), 0)?.dataBytes).toBeNull();
    expect(elementHeaderAt(bytesOf(0xec, 0x7f, 0xfe), 0)?.dataBytes).toBe(0x3ffe);
  });

  test("no header where the bytes end, or begin with zero or with an ID that is too long", () => {
    for (const bytes of [[], [0], [0xec], [0x08, 1, 2, 3, 4, 0x80], [0xec, 0], [0xec, 0x40], [0x42, 0x86]])
      expect(elementHeaderAt(bytesOf(bytes), 0)).toBeNull();
  });

  test("numbers of all widths", () => {
    expect(first(element(0xd7)).uint()).toBe(0);
    expect(first(element(0xd7, u32(0xfffffffe))).uint()).toBe(0xfffffffe);
    expect(first(element(0xd7, u64(2 ** 50))).uint()).toBe(2 ** 50);
    expect(() => first(element(0xd7, new Uint8Array(9))).uint()).toThrow("broken");
    expect(first(element(0xd7, float64(1.5))).float()).toBe(1.5);
    expect(first(element(0xd7, 0x3f, 0xc0, 0, 0)).float()).toBe(1.5);
    expect(first(element(0xd7)).float()).toBe(0);
    expect(() => first(element(0xd7, 1, 2)).float()).toThrow("broken");
  });

  test("text ends at its padding", () => {
    expect(first(element(0x86, "V_VP9\0\0x")).text()).toBe("V_VP9");
  });

  test("a cursor goes through elements and their children, and no further", () => {
    const cursor = first(element(0xa0, element(0xa1, 1), element(0xa2, 2)), element(0xa3, 3));
    const children = cursor.children();
    expect([children.next(), children.id, children.uint()]).toEqual([true, 0xa1, 1]);
    expect([children.next(), children.id, children.uint()]).toEqual([true, 0xa2, 2]);
    expect(children.next()).toBe(false);
    expect([cursor.next(), cursor.id, cursor.uint(), cursor.next()]).toEqual([true, 0xa3, 3, false]);
  });

  test("a child that is longer than its parent is broken, however far the bytes go on", () => {
    const bytes = bytesOf(0xa0, 0x83, 0xa1, 0x85, 1, 2, 3, 4, 5);
    expect(() => first(bytes).children().next()).toThrow("broken");
    expect(() => new ElementCursor(bytesOf(0xa0, 0x82, 1)).next()).toThrow("broken");
    expect(() => new ElementCursor(bytesOf(0xa0, 0xff, 1)).next()).toThrow("broken");
  });
});
