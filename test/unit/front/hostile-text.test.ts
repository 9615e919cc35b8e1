// Properties of everything that reads text of strangers. fast-check prints seed and counterexample of a failure.

import { test } from "bun:test";
import fc from "fast-check";
import { contentDisposition } from "../../../src/base/content-disposition.ts";
import { TorrxError } from "../../../src/base/errors.ts";
import { checkHost } from "../../../src/front/host-guard.ts";
import { judgePreconditions } from "../../../src/front/preconditions.ts";
import { answerRange } from "../../../src/front/range.ts";
import { checkSite } from "../../../src/front/site-guard.ts";
import { parseTarget } from "../../../src/front/target.ts";
import { tryBasicHeader } from "../../../src/services/access/basic-header.ts";
import { signToken, trySignedLink } from "../../../src/services/access/token.ts";

const RUNS = { numRuns: 2_000 };
const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string());
/** Text that comes near to what is expected. */
const near = (signs: string, max = 40) =>
  fc.array(fc.constantFrom(...signs), { maxLength: max }).map((all) => all.join(""));

const throwsOnlyOurs = (run: () => unknown) => {
  try {
    run();
    return true;
  } catch (error) {
    return error instanceof TorrxError;
  }
};

test("a range lies within its file, whatever the header says", () => {
  const header = fc.oneof(
    text,
    near("bytes=-,0123456789 ").map((tail) => `bytes=${tail}`),
  );
  fc.assert(
    fc.property(header, fc.nat({ max: 2 ** 40 }), (value, lengthBytes) => {
      const answer = answerRange(value, lengthBytes);
      if (answer.kind !== "part") return true;
      const { start, end } = answer.range;
      return Number.isSafeInteger(start) && start >= 0 && start < end && end <= lengthBytes;
    }),
    RUNS,
  );
});

test("a target is parsed or refused, and one that passed is the same to a URL parser", () => {
  const path = fc.oneof(
    text,
    near("/.%2eEapi\\?#abcstream0123").map((tail) => `/${tail}`),
  );
  fc.assert(
    fc.property(path, (value) => {
      let target: ReturnType<typeof parseTarget>;
      try {
        target = parseTarget(value, "GET");
      } catch (error) {
        return error instanceof TorrxError;
      }
      return (
        !/^[\x21-\x7e]*$/.test(target.path) ||
        new URL(`http://h${target.path}`).pathname.length >= target.path.length
      );
    }),
    RUNS,
  );
});

test("guards, conditions and headers of strangers never throw anything but an answer", () => {
  const host = fc.oneof(text, near("[]:.@,/ 0123456789abclo-_"));
  fc.assert(
    fc.property(host, text, text, (a, b, c) => {
      const validators = { etag: '"x"', lastModifiedMs: 0 };
      const proof = {
        method: "POST",
        host: a,
        origin: b,
        secFetchSite: undefined,
        secFetchMode: c,
        isApi: true,
      };
      return (
        throwsOnlyOurs(() => checkHost([a], [b])) &&
        throwsOnlyOurs(() => checkSite({ ...proof, hasToken: false })) &&
        throwsOnlyOurs(() =>
          judgePreconditions({ "if-none-match": a, "if-modified-since": b, "if-match": c }, validators),
        ) &&
        throwsOnlyOurs(() => tryBasicHeader(`Basic ${a}`)) &&
        /^[\x20-\x7e]*$/.test(contentDisposition(a, true))
      );
    }),
    RUNS,
  );
});

test("no text but a signed one is a token", () => {
  const key = new Uint8Array(32).fill(1);
  const token = signToken({ kind: "playlist", torrent: "ab".repeat(20) as never, id: "i" }, 10, {
    key,
    epoch: 0,
  });
  const forged = fc.oneof(
    text,
    text.map((tail) => `v1.${tail}`),
    fc.tuple(fc.nat(token.length), text).map(([at, part]) => token.slice(0, at) + part),
  );
  fc.assert(
    fc.property(forged, (value) => value === token || trySignedLink(value, key) === null),
    RUNS,
  );
});
