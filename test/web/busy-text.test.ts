import { describe, expect, test } from "bun:test";
import { busyText } from "../../web/src/lib/busy-text.ts";
import { refusalIn } from "../../web/src/player/server-words.ts";

describe("a server that asks to wait", () => {
  test("its reason is told in words", () => {
    expect(busyText("transcode_busy: this machine has not made it in time")).toBe(
      "This machine has not made it in time.",
    );
    expect(busyText("Stream_limit: too many streams at once.")).toBe("Too many streams at once.");
    expect(busyText("just so")).toBe("Just so.");
  });

  test("what a stream waits for is left to the stream's own words", () => {
    expect(busyText("waiting_pieces: NO_PEERS, nobody is connected who has it")).toBeNull();
    expect(busyText("Waiting_pieces: HEAD_TAIL, the file's index is on its way.")).toBeNull();
  });

  test("an answer is read where it is one of the API's", () => {
    const body = JSON.stringify({ error: { code: "busy", message: "stream_limit: too many" } });
    expect(refusalIn(body)).toEqual({ code: "busy", text: "Stream_limit: too many." });
    for (const other of ["", "<html>", "null", "7", "{}", '{"error":{"code":5}}'])
      expect(refusalIn(other)).toBeNull();
  });
});
