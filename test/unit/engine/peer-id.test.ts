import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../../src/base/random.ts";
import { clientNameOf, createPeerId } from "../../../src/engine/peer-id.ts";

const idOf = (text: string) => new TextEncoder().encode(text.padEnd(20, "x"));

describe("peer ids", () => {
  test("ours names TorrX, is printable and differs from run to run", () => {
    const [one, two] = [createPeerId(seededRandom(1)), createPeerId(seededRandom(2))];
    expect(Buffer.from(one).toString("latin1")).toMatch(/^-TX\d{4}-[0-9A-Za-z]{12}$/);
    expect(one).not.toEqual(two);
    expect(clientNameOf(one)).toStartWith("TorrX ");
  });

  test.each([
    ["-qB4630-", "qBittorrent 4.6.3.0"],
    ["-TR4040-", "Transmission 4.0.4.0"],
    ["-lt0D60-", "rTorrent 0.D.6.0"],
    ["-ZZ1234-", "ZZ 1.2.3.4"],
  ])("%s is %s", (id, name) => {
    expect(clientNameOf(idOf(id))).toBe(name);
  });

  test.each(["M7-9-2--", "-qB46\u00000-", "", "-<b1234-"])("%j is no client's name", (id) => {
    expect(clientNameOf(idOf(id))).toBeNull();
  });
});
