import { expect, test } from "bun:test";
import { isRangeCurrent, judgePreconditions } from "../../../src/front/preconditions.ts";

const VALIDATORS = { etag: '"a,b"', lastModifiedMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678) };
const SAME = "Fri, 02 Jan 2026 03:04:05 GMT";
const BEFORE = "Fri, 02 Jan 2026 03:04:04 GMT";
const AFTER = "Fri, 02 Jan 2026 03:04:06 GMT";

test("conditions are judged in the order of RFC 9110 §13.2.2", () => {
  const table: [Record<string, string>, ReturnType<typeof judgePreconditions>][] = [
    [{}, "go"],
    [{ "if-none-match": '"a,b"' }, "not_modified"],
    [{ "if-none-match": 'W/"a,b"' }, "not_modified"],
    [{ "if-none-match": '"x", "a,b"' }, "not_modified"],
    [{ "if-none-match": "*" }, "not_modified"],
    [{ "if-none-match": '"x"' }, "go"],
    [{ "if-none-match": "a,b" }, "go"],
    [{ "if-none-match": '"x"', "if-modified-since": AFTER }, "go"],
    [{ "if-modified-since": SAME }, "not_modified"],
    [{ "if-modified-since": AFTER }, "not_modified"],
    [{ "if-modified-since": BEFORE }, "go"],
    [{ "if-modified-since": "yesterday" }, "go"],
    [{ "if-match": '"a,b"' }, "go"],
    [{ "if-match": "*" }, "go"],
    [{ "if-match": '"x"' }, "failed"],
    [{ "if-match": 'W/"a,b"' }, "failed"],
    [{ "if-match": '"a,b"', "if-none-match": '"a,b"' }, "not_modified"],
    [{ "if-unmodified-since": SAME }, "go"],
    [{ "if-unmodified-since": BEFORE }, "failed"],
    [{ "if-unmodified-since": "soon" }, "go"],
    [{ "if-match": '"a,b"', "if-unmodified-since": BEFORE }, "go"],
  ];
  for (const [headers, expected] of table) {
    expect(judgePreconditions(headers, VALIDATORS), JSON.stringify(headers)).toBe(expected);
  }
});

test("If-Range holds for the very tag or the very date only", () => {
  const table: [string | undefined, boolean][] = [
    [undefined, true],
    ['"a,b"', true],
    ['W/"a,b"', false],
    ['"x"', false],
    [SAME, true],
    [BEFORE, false],
    [AFTER, false],
    ["nonsense", false],
    ["", false],
  ];
  for (const [value, expected] of table) {
    expect(isRangeCurrent(value === undefined ? {} : { "if-range": value }, VALIDATORS), `${value}`).toBe(
      expected,
    );
  }
});
