import { describe, expect, test } from "bun:test";
import type { InfoHash } from "../../../src/base/brand.ts";
import { silentLog } from "../../../src/base/log.ts";
import { seededRandom } from "../../../src/base/random.ts";
import {
  createAccess,
  createPasswordHasher,
  type StoredCredentials,
} from "../../../src/services/access/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const TORRENT = "ab".repeat(20) as InfoHash;
const HOUR_MS = 3_600_000;

async function open() {
  const clock = new FakeClock({ wallMs: Date.UTC(2026, 0, 1, 0, 30) });
  let kept: StoredCredentials | null = null;
  const store = {
    load: () => Promise.resolve(kept),
    save: (credentials: StoredCredentials) => {
      kept = credentials;
      return Promise.resolve();
    },
  };
  const start = async () =>
    (
      await createAccess({
        config: { username: "admin", password: "x y z" },
        store,
        clock,
        random: seededRandom(3),
        log: silentLog,
        tokenTtlHours: () => 2,
        hasher: createPasswordHasher(),
      })
    ).access;
  return { access: await start(), clock, start };
}

describe("link tokens", () => {
  test("say what they open and nothing else", async () => {
    const { access } = await open();
    const stream = access.issueStreamToken({ torrent: TORRENT, file: 3, viewer: "a" });
    expect(access.verifyToken(stream)).toMatchObject({ kind: "stream", torrent: TORRENT, file: 3 });
    const playlist = access.issuePlaylistToken({ torrent: TORRENT, viewer: "a" });
    expect(access.verifyToken(playlist)).toMatchObject({ kind: "playlist", torrent: TORRENT });
    expect(stream).toMatch(/^v1\.[\w-]+\.[\w-]{43}$/);
  });

  test("break when any single bit is turned", async () => {
    const { access } = await open();
    const bytes = Buffer.from(access.issueStreamToken({ torrent: TORRENT, file: 3, viewer: "a" }));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(access.verifyToken(bytes.toString("latin1")), `bit ${bit}`).toBeNull();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(access.verifyToken(bytes.toString("latin1"))).not.toBeNull();
  });

  test("malformed text is refused without a throw", async () => {
    const { access } = await open();
    const token = access.issueStreamToken({ torrent: TORRENT, file: 3, viewer: "a" });
    const [, payload, signature] = token.split(".");
    const bad = [
      "",
      ".",
      "..",
      "v1",
      `v1.${payload}`,
      `v1..${signature}`,
      `v2.${payload}.${signature}`,
      `${token}.`,
      `${token}=`,
      `v1.${payload}=.${signature}`,
      "v1.é.é",
      "x".repeat(100_000),
    ];
    for (const text of bad) expect(access.verifyToken(text), text.slice(0, 60)).toBeNull();
  });

  test("live for their hours, rounded up to a full one, with a minute of tolerance for the clock", async () => {
    const { access, clock } = await open();
    const token = access.issueStreamToken({ torrent: TORRENT, file: 0, viewer: "a" });
    clock.jumpWall(2.5 * HOUR_MS + 60_000);
    expect(access.verifyToken(token)).not.toBeNull();
    clock.jumpWall(1_000);
    expect(access.verifyToken(token)).toBeNull();
    clock.jumpWall(-24 * HOUR_MS);
    expect(access.verifyToken(token)).not.toBeNull();
  });

  test("that are dead say why, and forged ones never more than that they are none", async () => {
    const { access, clock } = await open();
    const token = access.issueStreamToken({ torrent: TORRENT, file: 0, viewer: "a" });
    expect(access.tokenFault(token)).toBeNull();
    clock.jumpWall(4 * HOUR_MS);
    expect(access.tokenFault(token)).toBe("expired");
    const forged = token.slice(0, -1) + (token.endsWith("A") ? "B" : "A");
    for (const text of [forged, "", "v1.x.y", "x".repeat(600)])
      expect(access.tokenFault(text)).toBe("invalid");
    const fresh = access.issueStreamToken({ torrent: TORRENT, file: 0, viewer: "a" });
    await access.revokeAll();
    expect(access.tokenFault(fresh)).toBe("revoked");
  });

  test("are the same for one viewer within the hour, and differ between viewers", async () => {
    const { access, clock } = await open();
    const of = (viewer: string) => access.issueStreamToken({ torrent: TORRENT, file: 0, viewer });
    const first = of("a");
    clock.jumpWall(20 * 60_000);
    expect(of("a")).toBe(first);
    expect(of("b")).not.toBe(first);
    expect(access.verifyToken(of("b"))?.id).not.toBe(access.verifyToken(first)?.id);
  });

  test("stop when they are revoked, also after a restart; new ones work", async () => {
    const { access, start } = await open();
    const token = access.issueStreamToken({ torrent: TORRENT, file: 0, viewer: "a" });
    expect((await start()).verifyToken(token)).not.toBeNull();
    await access.revokeAll();
    expect(access.verifyToken(token)).toBeNull();
    const again = await start();
    expect(again.verifyToken(token)).toBeNull();
    expect(
      again.verifyToken(again.issueStreamToken({ torrent: TORRENT, file: 0, viewer: "a" })),
    ).not.toBeNull();
  });

  test("simultaneous revocations and changes lose nothing", async () => {
    const { access } = await open();
    const token = access.issueStreamToken({ torrent: TORRENT, file: 0, viewer: "a" });
    await Promise.all([
      access.revokeAll(),
      access.changeCredentials({ currentPassword: "x y z", password: "q r s" }),
      access.revokeAll(),
    ]);
    expect(access.verifyToken(token)).toBeNull();
    const credentials = `Basic ${Buffer.from("admin:q r s").toString("base64")}`;
    expect(await access.verifyBasic(credentials, "::1")).not.toBeNull();
  });
});
