// Which bytes a Range header asks for (RFC 9110 §14). What is not understood is ignored, as the RFC wants: the answer
// is then the whole file. Several ranges in one header are answered with the whole file too.

import type { ByteRange } from "../base/byte-range.ts";

export type RangeAnswer =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly range: ByteRange }
  | { readonly kind: "unsatisfiable" };

const WHOLE: RangeAnswer = { kind: "whole" };
const UNSATISFIABLE: RangeAnswer = { kind: "unsatisfiable" };
const SINGLE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

export function answerRange(header: string | undefined, lengthBytes: number): RangeAnswer {
  const match = header === undefined ? null : SINGLE.exec(header);
  if (match === null) return WHOLE;
  const [, first = "", last = ""] = match;
  if (first === "") return last === "" ? WHOLE : suffix(Number(last), lengthBytes);
  const start = Number(first);
  const end = last === "" ? lengthBytes : Math.min(Number(last) + 1, lengthBytes);
  if (last !== "" && Number(last) < start) return WHOLE;
  return start >= lengthBytes ? UNSATISFIABLE : { kind: "part", range: { start, end } };
}

function suffix(countBytes: number, lengthBytes: number): RangeAnswer {
  if (countBytes === 0 || lengthBytes === 0) return UNSATISFIABLE;
  return { kind: "part", range: { start: Math.max(0, lengthBytes - countBytes), end: lengthBytes } };
}
