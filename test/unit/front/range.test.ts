import { expect, test } from "bun:test";
import { answerRange } from "../../../src/front/range.ts";

const part = (start: number, end: number) => ({ kind: "part", range: { start, end } }) as const;
const WHOLE = { kind: "whole" } as const;
const NONE = { kind: "unsatisfiable" } as const;

test("a Range header of a 1,000-byte file is answered as RFC 9110 §14 wants", () => {
  const table: [string | undefined, ReturnType<typeof answerRange>][] = [
    [undefined, WHOLE],
    ["bytes=0-0", part(0, 1)],
    ["bytes=0-999", part(0, 1000)],
    ["bytes=0-1000", part(0, 1000)],
    ["bytes=5-", part(5, 1000)],
    ["bytes=999-", part(999, 1000)],
    ["bytes=999-99999999999999999999999", part(999, 1000)],
    ["bytes=-1", part(999, 1000)],
    ["bytes=-1000", part(0, 1000)],
    ["bytes=-99999999999999999999999", part(0, 1000)],
    ["BYTES=1-2", part(1, 3)],
    ["bytes= 1-2 ", part(1, 3)],
    ["bytes=1000-", NONE],
    ["bytes=1000-2000", NONE],
    ["bytes=99999999999999999999999-", NONE],
    ["bytes=-0", NONE],
    ["bytes=2-1", WHOLE],
    ["bytes=-", WHOLE],
    ["bytes=", WHOLE],
    ["bytes=a-b", WHOLE],
    ["bytes=0x1-2", WHOLE],
    ["bytes=1-2,3-4", WHOLE],
    ["bytes=1-2, 3-4", WHOLE],
    ["bytes=--1", WHOLE],
    ["bytes=+1-2", WHOLE],
    ["bytes=1.5-2", WHOLE],
    ["items=1-2", WHOLE],
    ["bytes 1-2", WHOLE],
    ["", WHOLE],
  ];
  for (const [header, expected] of table) expect(answerRange(header, 1000), `${header}`).toEqual(expected);
});

test("nothing of an empty file can be asked for", () => {
  for (const header of ["bytes=0-", "bytes=0-0", "bytes=-1", "bytes=-0"]) {
    expect(answerRange(header, 0), header).toEqual(NONE);
  }
  expect(answerRange(undefined, 0)).toEqual(WHOLE);
  expect(answerRange("bytes=1-0", 0)).toEqual(WHOLE);
});
