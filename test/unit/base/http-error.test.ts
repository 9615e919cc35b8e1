import { expect, test } from "bun:test";
import { ERROR_CODES, statusOf, TorrxError } from "../../../src/base/errors.ts";
import { httpFailure } from "../../../src/base/http-error.ts";
import { createLog, silentLog } from "../../../src/base/log.ts";

test("a TorrxError keeps its code, status, message and time to wait", () => {
  const failure = httpFailure(new TorrxError("busy", "come back", { retryAfterSec: 0.2 }), silentLog);
  expect(failure.status).toBe(503);
  expect(JSON.parse(failure.body)).toEqual({ error: { code: "busy", message: "come back" } });
  expect(failure.headers["retry-after"]).toBe("1");
});

test("every code has an answer of its status, and those that no client may see become internal", () => {
  for (const code of ERROR_CODES) {
    const { error } = JSON.parse(httpFailure(new TorrxError(code, "canary"), silentLog).body);
    const isHidden = ["internal", "config_invalid", "start_failed"].includes(code);
    expect(error.code).toBe(isHidden ? "internal" : code);
    expect(error.message === "canary").toBe(!isHidden);
    expect(httpFailure(new TorrxError(code, ""), silentLog).status).toBe(isHidden ? 500 : statusOf(code));
  }
});

test("anything else tells an id, under which the log has the rest", () => {
  for (const thrown of [new Error("canary"), "canary", null, undefined, { canary: 1 }, 42]) {
    const lines: string[] = [];
    const failure = httpFailure(
      thrown,
      createLog("debug", (line) => lines.push(line)),
    );
    const { error } = JSON.parse(failure.body);
    expect([failure.status, error.code, error.message]).toEqual([500, "internal", "internal error"]);
    expect(failure.body).not.toContain("canary");
    expect(lines.length).toBe(1);
    expect(lines[0]).toContain(error.id);
  }
});

test("busy always says when to ask again, nothing else does by itself", () => {
  for (const code of ERROR_CODES) {
    const { headers } = httpFailure(new TorrxError(code, "why"), silentLog);
    expect(headers["retry-after"]).toBe(code === "busy" ? "2" : undefined);
  }
});
