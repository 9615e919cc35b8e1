import { describe, expect, test } from "bun:test";
import { announceUrl } from "../../../../src/swarm/trackers/announce-url.ts";
import { someFacts } from "../../../support/announce-facts.ts";

const query = { facts: someFacts, event: null, key: 0xab, trackerId: null } as const;

describe("the URL of an announce", () => {
  test("carries the facts, raw bytes percent-encoded one by one", () => {
    const { href } = announceUrl(new URL("http://t.test/announce"), { ...query, event: "started" });
    expect(href).toBe(
      "http://t.test/announce?info_hash=%00%FF%20%25~ABCDEFGHIPQRSTU&peer_id=-TX0100-abcdefghijkl&port=51414" +
        "&uploaded=1&downloaded=2&left=3&compact=1&no_peer_id=1&numwant=200&key=000000ab&event=started",
    );
  });

  test("keeps the tracker's own query, drops its fragment, asks for nobody when leaving", () => {
    const { href } = announceUrl(new URL("http://t.test/a.php?passkey=s3cret%26x#frag"), {
      ...query,
      event: "stopped",
      trackerId: Buffer.from([0, 65]),
    });
    expect(href).toStartWith("http://t.test/a.php?passkey=s3cret%26x&info_hash=%00%FF");
    expect(href).toContain("&numwant=0&");
    expect(href).toEndWith("&event=stopped&trackerid=%00A");
  });
});
