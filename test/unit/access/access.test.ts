import { describe, expect, test } from "bun:test";
import { createLog, silentLog } from "../../../src/base/log.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { KEYS } from "../../../src/config/keys.ts";
import {
  type AuthConfig,
  type CredentialStore,
  createAccess,
  createPasswordHasher,
  type PasswordHasher,
  replaceCredentials,
  type StoredCredentials,
} from "../../../src/services/access/index.ts";
import { basicHeader } from "../../support/api-client.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const hasher = createPasswordHasher();

function countingHasher(): PasswordHasher & { verified: number } {
  const counting = {
    verified: 0,
    hash: hasher.hash,
    verify: (password: string, hash: string) => {
      counting.verified++;
      return hasher.verify(password, hash);
    },
  };
  return counting;
}

function memoryStore(
  initial: StoredCredentials | null = null,
): CredentialStore & { kept: StoredCredentials | null } {
  const store = {
    kept: initial,
    load: () => Promise.resolve(store.kept),
    save: (credentials: StoredCredentials) => {
      store.kept = credentials;
      return Promise.resolve();
    },
  };
  return store;
}

async function open(config: Partial<AuthConfig> = {}, store = memoryStore(), counting = countingHasher()) {
  const clock = new FakeClock();
  const made = await createAccess({
    config: { username: "admin", password: "correct horse", ...config },
    store,
    clock,
    random: seededRandom(7),
    log: silentLog,
    tokenTtlHours: () => 168,
    hasher: counting,
  });
  return { ...made, clock, store, counting };
}

describe("Basic authentication", () => {
  test("the longest name and password that the configuration takes log in and can be changed", async () => {
    const longest = (allowed: string) => "\u4e2d".repeat(Number(/1 to (\d+)/.exec(allowed)?.[1]));
    const username = longest(KEYS["auth.username"].allowed);
    const password = longest(KEYS["auth.password"].allowed);
    expect(KEYS["auth.password"].read(password, "/")).toBe(password);
    expect(KEYS["auth.password"].read(`${password}x`, "/")).toBeUndefined();
    const { access } = await open({ username, password });
    expect((await access.verifyBasic(basicHeader(username, password), "10.0.0.1"))?.username).toBe(username);
    await access.changeCredentials({ currentPassword: password, username: "me", password });
    expect(await access.verifyBasic(basicHeader("me", password), "10.0.0.1")).not.toBeNull();
  });

  test("the right header opens a session, anything else does not", async () => {
    const { access } = await open();
    const right = await access.verifyBasic(basicHeader("admin", "correct horse"), "192.0.2.1");
    expect(right?.username).toBe("admin");
    const wrong = [
      basicHeader("admin", "correct horse "),
      basicHeader("Admin", "correct horse"),
      basicHeader("", ""),
      basicHeader("admin", ""),
      "Basic !!!",
      "Bearer abc",
      "",
      `Basic ${Buffer.from([0xff, 0x3a, 0xff]).toString("base64")}`,
      `Basic ${"A".repeat(4096)}`,
    ];
    for (const [index, header] of wrong.entries()) {
      expect(await access.verifyBasic(header, `192.0.2.${index + 2}`), header).toBeNull();
    }
  });

  test("names and passwords may be any UTF-8", async () => {
    const { access } = await open({ username: "Тётя", password: "пароль:日本" });
    expect(await access.verifyBasic(basicHeader("Тётя", "пароль:日本"), "::1")).not.toBeNull();
  });

  test("a header is hashed once, however many requests carry it, and an unknown name is hashed too", async () => {
    const { access, counting } = await open();
    const header = basicHeader("admin", "correct horse");
    await Promise.all(Array.from({ length: 20 }, () => access.verifyBasic(header, "::1")));
    await access.verifyBasic(header, "::1");
    expect(counting.verified).toBe(1);
    await access.verifyBasic(basicHeader("nobody", "x"), "::1");
    expect(counting.verified).toBe(2);
  });

  test("a session in use outlives its ten minutes, a forgotten one does not", async () => {
    const { access, clock, counting } = await open();
    const header = basicHeader("admin", "correct horse");
    await access.verifyBasic(header, "::1");
    for (let minute = 0; minute < 30; minute += 9) {
      clock.advance(9 * 60_000);
      await access.verifyBasic(header, "::1");
    }
    expect(counting.verified).toBe(1);
    clock.advance(10 * 60_000 + 1);
    await access.verifyBasic(header, "::1");
    expect(counting.verified).toBe(2);
  });

  test("1,000 wrong logins from one address cost ten hashes, are told when to come back, and disturb no session", async () => {
    const { access, clock, counting } = await open();
    const good = basicHeader("admin", "correct horse");
    await access.verifyBasic(good, "192.0.2.9");
    const answers = await Promise.allSettled(
      Array.from({ length: 1000 }, (_, i) =>
        access.verifyBasic(basicHeader("admin", `guess ${i}`), "192.0.2.9"),
      ),
    );
    const limited = answers.filter((answer) => answer.status === "rejected");
    expect(limited.length).toBe(990);
    expect(limited[0]?.reason).toMatchObject({ code: "rate_limited" });
    expect(limited[0]?.reason.retryAfterSec).toBeGreaterThan(0);
    expect(counting.verified).toBe(11);
    expect(await access.verifyBasic(good, "192.0.2.9")).not.toBeNull();
    clock.advance(7_000);
    expect(await access.verifyBasic(basicHeader("admin", "guess"), "192.0.2.9")).toBeNull();
  });

  test("a device that keeps trying an old password is limited and locks out nobody behind its address", async () => {
    const { access, clock, counting } = await open();
    const old = basicHeader("admin", "old password");
    let limited = 0;
    for (let second = 0; second < 120; second++) {
      await access.verifyBasic(old, "192.0.2.9").catch(() => limited++);
      clock.advance(1_000);
    }
    expect(limited).toBeGreaterThan(90);
    expect(counting.verified).toBeLessThan(30);
    expect(await access.verifyBasic(basicHeader("admin", "correct horse"), "192.0.2.9")).not.toBeNull();
  });

  test("many addresses share one limit, and a whole IPv6 /64 counts as one address", async () => {
    const { access } = await open();
    const from = (address: (i: number) => string) =>
      Promise.allSettled(
        Array.from({ length: 200 }, (_, i) => access.verifyBasic(`Basic x${i}`, address(i))),
      );
    const subnet = await from((i) => `2001:db8::${i.toString(16)}`);
    expect(subnet.filter((answer) => answer.status === "fulfilled").length).toBe(10);
    const all = await from((i) => `198.51.100.${i}`);
    expect(all.filter((answer) => answer.status === "fulfilled").length).toBe(50);
  });
});

describe("where the password comes from", () => {
  test("without one configured it is generated once, and its hash is kept", async () => {
    const first = await open({ password: null });
    const made = first.generatedPassword;
    expect(made?.text).toMatch(/^[a-z2-9]{16}$/);
    await made?.keep();
    expect(JSON.stringify(first.store.kept)).not.toContain(made!.text);
    const second = await open({ password: null }, first.store);
    expect([second.generatedPassword, second.source]).toEqual([null, "generated"]);
    const header = basicHeader("admin", made!.text);
    expect(await second.access.verifyBasic(header, "::1")).not.toBeNull();
  });

  test("a generated one that was never shown is not kept: the next start makes another", async () => {
    const first = await open({ password: null });
    expect(first.store.kept).toBeNull();
    const second = await open({ password: null }, first.store);
    expect(second.generatedPassword).not.toBeNull();
    const header = basicHeader("admin", second.generatedPassword!.text);
    expect(await second.access.verifyBasic(header, "::1")).not.toBeNull();
  });

  test("keeping a generated one does not undo a change that came first", async () => {
    const { access, generatedPassword, store } = await open({ password: null });
    await access.changeCredentials({ currentPassword: generatedPassword!.text, password: "my own" });
    await generatedPassword?.keep();
    const next = await open({ password: null }, store);
    expect(next.source).toBe("user");
    expect(await next.access.verifyBasic(basicHeader("admin", "my own"), "::1")).not.toBeNull();
  });

  test("a login while the generated one is being kept, or links are revoked, succeeds", async () => {
    const { access, generatedPassword } = await open({ password: null });
    const header = basicHeader("admin", generatedPassword!.text);
    const login = access.verifyBasic(header, "::1");
    await generatedPassword?.keep();
    await access.revokeAll();
    expect(await login).not.toBeNull();
  });

  test("a configured one that the user's own wins over is told as a warning", async () => {
    const store = memoryStore();
    await replaceCredentials({ store, hasher, random: seededRandom(1), username: "u", password: "p w" });
    const lines: string[] = [];
    const log = createLog("warn", (line) => lines.push(line));
    const options = { store, clock: new FakeClock(), random: seededRandom(7), log, tokenTtlHours: () => 1 };
    await createAccess({ ...options, config: { username: "admin", password: "configured" } });
    expect(lines.join()).toContain("TORRX_AUTH_PASSWORD");
    expect(lines).toHaveLength(1);
    await createAccess({ ...options, config: { username: "admin", password: null } });
    expect(lines).toHaveLength(1);
  });

  test("the configured one wins over a generated one, and the user's own over both", async () => {
    const first = await open({ password: null });
    await first.generatedPassword?.keep();
    const second = await open({ password: "configured" }, first.store);
    expect(await second.access.verifyBasic(basicHeader("admin", "configured"), "::1")).not.toBeNull();
    await second.access.changeCredentials({
      currentPassword: "configured",
      username: "me",
      password: "my own",
    });
    const third = await open({ password: "configured" }, first.store);
    expect(third.access.username).toBe("me");
    expect(await third.access.verifyBasic(basicHeader("me", "my own"), "::1")).not.toBeNull();
    expect(await third.access.verifyBasic(basicHeader("admin", "configured"), "::1")).toBeNull();
  });

  test("a change ends the sessions of the old password at once", async () => {
    const { access } = await open();
    const old = basicHeader("admin", "correct horse");
    await access.verifyBasic(old, "::1");
    await access.changeCredentials({ currentPassword: "correct horse", password: "new" });
    expect(await access.verifyBasic(old, "::1")).toBeNull();
    expect(await access.verifyBasic(basicHeader("admin", "new"), "::1")).not.toBeNull();
  });

  test("a change names the wrong field and never its value", async () => {
    const { access } = await open();
    const cases = [
      [{ currentPassword: "canary-1" }, "username or password"],
      [{ currentPassword: "canary-1", password: "x" }, "current_password"],
      [{ currentPassword: "correct horse", password: "" }, "password"],
      [{ currentPassword: "correct horse", password: "c\nanary-1" }, "password"],
      [{ currentPassword: "correct horse", username: "canary-1:x" }, "username"],
    ] as const;
    for (const [change, field] of cases) {
      const error = await access.changeCredentials(change).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "validation" });
      expect((error as Error).message).toContain(field);
      expect((error as Error).message).not.toContain("anary");
    }
  });

  test("guessing the current password is limited", async () => {
    const { access } = await open();
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        access.changeCredentials({ currentPassword: `${i}`, password: "x" }),
      ),
    );
    const codes = answers.map((answer) => (answer.status === "rejected" ? answer.reason.code : "done"));
    expect(codes.filter((code) => code === "rate_limited").length).toBe(10);
  });

  test("a password that everybody tries first is warned of until it is changed", async () => {
    for (const password of ["changeme", "Admin", "123456"]) {
      const { access } = await open({ password });
      expect(access.warnings().map((warning) => warning.code)).toEqual(["default_password"]);
      await access.changeCredentials({ currentPassword: password, password: "long and own" });
      expect(access.warnings()).toEqual([]);
    }
  });

  test("a password set from the command line wins like the user's own", async () => {
    const store = memoryStore();
    await replaceCredentials({ store, hasher, random: seededRandom(1), username: "u", password: "p w" });
    const { access } = await open({ password: "configured" }, store);
    expect(await access.verifyBasic(basicHeader("u", "p w"), "::1")).not.toBeNull();
  });
});
