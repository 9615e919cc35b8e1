import { describe, expect, test } from "bun:test";
import reference from "bencode";
import fc from "fast-check";
import {
  BencodeError,
  type BencodeInput,
  type BencodeValue,
  decodeBencode,
  decodeBencodePrefix,
  encodeBencode,
} from "../../../src/metainfo/index.ts";

const ascii = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

const keyOf = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const { value: anyValue } = fc.letrec<{ value: BencodeValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 5 },
    fc.maxSafeInteger().map((n) => n + 0 || 0),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.array(fc.tuple(keyOf, tie("value")), { maxLength: 5 }).map((entries) => new Map(entries)),
  ),
}));

/** Maps as sorted lists of pairs, so that two values can be compared whatever the order of their keys. */
function plain(value: BencodeValue): unknown {
  if (value instanceof Map) {
    return {
      dict: [...value]
        .map(([key, item]) => [key, plain(item)])
        .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    };
  }
  return Array.isArray(value) ? value.map(plain) : value;
}

describe("bencode", () => {
  test.each([
    ["i0e", 0],
    ["i-42e", -42],
    ["i9007199254740991e", Number.MAX_SAFE_INTEGER],
    ["0:", ascii("")],
    ["4:spam", ascii("spam")],
    ["le", []],
    ["li1ei2ee", [1, 2]],
    ["de", new Map()],
    [
      "d1:b0:1:ai1ee",
      new Map<string, BencodeValue>([
        ["b", ascii("")],
        ["a", 1],
      ]),
    ],
    ["d9:__proto__i1ee", new Map([["__proto__", 1]])],
  ] as [string, BencodeValue][])("reads %s", (text, value) => {
    expect(decodeBencode(ascii(text))).toEqual(value);
  });

  test.each([
    "",
    "i",
    "ie",
    "i-e",
    "i-0e",
    "i01e",
    "i1",
    "i1.5e",
    "i+1e",
    "i 1e",
    "i9007199254740992e",
    "i99999999999999999999e",
    "1",
    "1:",
    "5:spam",
    "01:a",
    "-1:a",
    "4294967296:",
    "9007199254740991:",
    ":",
    "l",
    "li1e",
    "d",
    "d1:a",
    "d1:ae",
    "di1ei2ee",
    "d1:ai1e1:ai2ee",
    "e",
    "x",
    "i1ei2e",
    "4:spamx",
    "dle1:ae",
  ])("refuses %p with a typed error", (text) => {
    expect(() => decodeBencode(ascii(text))).toThrow(BencodeError);
  });

  test("200,000 open lists are refused instead of overflowing the stack", () => {
    expect(() => decodeBencode(ascii("l".repeat(200_000)))).toThrow(/nested too deeply/);
  });

  test("depth and tokens are taken at the limit and refused one past it", () => {
    const nested = (depth: number) => ascii("l".repeat(depth) + "e".repeat(depth));
    expect(() => decodeBencode(nested(5), { maxDepth: 5, maxTokens: 100 })).not.toThrow();
    expect(() => decodeBencode(nested(6), { maxDepth: 5, maxTokens: 100 })).toThrow(BencodeError);
    const flat = (items: number) => ascii(`l${"i1e".repeat(items)}e`);
    expect(() => decodeBencode(flat(8), { maxDepth: 5, maxTokens: 10 })).not.toThrow();
    expect(() => decodeBencode(flat(9), { maxDepth: 5, maxTokens: 10 })).toThrow(BencodeError);
  });

  test("a prefix tells where it ends, for the data behind it", () => {
    const { value, endOffset } = decodeBencodePrefix(ascii("d1:ai1eeDATA"));
    expect(value).toEqual(new Map([["a", 1]]));
    expect(endOffset).toBe(8);
  });

  test("the listener gets the raw extent of every entry and its depth", () => {
    const bytes = ascii("d4:infod1:xi1ee1:zlee");
    const seen: unknown[] = [];
    decodeBencode(bytes, undefined, (depth, key, start, end) => {
      seen.push([depth, key, Buffer.from(bytes.subarray(start, end)).toString()]);
    });
    expect(seen).toEqual([
      [1, "x", "i1e"],
      [0, "info", "d1:xi1ee"],
      [0, "z", "le"],
    ]);
  });

  test("what was encoded decodes to the same value", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(plain(decodeBencode(encodeBencode(value as BencodeInput)))).toEqual(plain(value));
      }),
      { numRuns: 300 },
    );
  });

  test("keys are written in byte order and undefined entries left out", () => {
    expect(Buffer.from(encodeBencode({ b: 1, a: "x", c: undefined, B: [] })).toString()).toBe(
      "d1:Ble1:a1:x1:bi1ee",
    );
  });

  test.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    "does not write %p, which no reader would take",
    (n) => {
      expect(() => encodeBencode(n)).toThrow(RangeError);
    },
  );

  test("the reference implementation writes the same bytes for what both can read", () => {
    const asciiKey = fc.string({ unit: "binary-ascii", minLength: 1 });
    const { value: common } = fc.letrec<{ value: BencodeInput }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small", maxDepth: 4 },
        fc.integer(),
        fc.uint8Array({ maxLength: 20 }),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(
          asciiKey.filter((key) => key !== "__proto__"),
          tie("value"),
          { maxKeys: 4 },
        ),
      ),
    }));
    fc.assert(
      fc.property(common, (value) => {
        expect(Buffer.from(encodeBencode(value)).toString("hex")).toBe(
          Buffer.from(reference.encode(value)).toString("hex"),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("where ours reads, the reference reads the same; what ours refuses may only be looser there", () => {
    const alphabet = fc.constantFrom(..."0123456789-:delia");
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 24 }), (chars) => {
        const bytes = ascii(chars.join(""));
        let ours: BencodeValue;
        try {
          ours = decodeBencode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(BencodeError);
          return;
        }
        expect(Buffer.from(reference.encode(reference.decode(bytes))).toString("hex")).toBe(
          Buffer.from(encodeBencode(ours as BencodeInput)).toString("hex"),
        );
      }),
      { numRuns: 20_000 },
    );
  });
});
