// B5 #29: nobody reads the log any more; the server goes on.

import { expect, test } from "bun:test";
import { describeIsolated } from "../support/namespace.ts";
import { Torrx } from "../support/torrx.ts";

const HASH = "ab".repeat(20);

/** Reads the lines of the start and then closes; the process that the test knows is the server itself. */
const UNTIL_READY = ["bash", "-c", 'exec "$@" > >(exec head -n 3) 2>&1', "bash"];

describeIsolated("output that goes nowhere", () => {
  test("a pipe that nobody reads any more stops nothing", async () => {
    const server = await Torrx.start({
      env: { TORRX_LOG_LEVEL: "debug" },
      wrapper: UNTIL_READY,
    });
    try {
      // Each announce to it is refused, which is logged.
      const magnet = `magnet:?xt=urn:btih:${HASH}&tr=http://127.0.0.1:1/announce`;
      for (let n = 0; n < 5; n++) {
        expect([200, 201]).toContain((await server.call("POST", "/api/torrents", { magnet })).status);
        expect((await server.call("PUT", `/api/torrents/${HASH}/reannounce`)).status).toBe(200);
      }
    } finally {
      await server.stop();
    }
    expect(server.process.exitCode).toBe(0);
  }, 20_000);
});
