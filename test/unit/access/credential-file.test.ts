import { expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCredentialFile, type StoredCredentials } from "../../../src/services/access/index.ts";
import { tmpFolder } from "../../support/tmp.ts";

const CREDENTIALS: StoredCredentials = {
  source: "user",
  username: "Тётя",
  passwordHash: "$argon2id$v=19$x",
  isDefaultPassword: false,
  tokenKey: new Uint8Array(32).fill(7),
  epoch: 4,
};

test("what is saved is loaded again, readable by its owner alone, and nothing else is left in the folder", async () => {
  const folder = tmpFolder("access");
  const path = join(folder, "credentials.json");
  const store = createCredentialFile(path);
  expect(await store.load()).toBeNull();
  await store.save({ ...CREDENTIALS, epoch: 3 });
  await store.save(CREDENTIALS);
  expect(await createCredentialFile(path).load()).toEqual(CREDENTIALS);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["credentials.json"]);
});

test("rights that were opened are closed again at the next load", async () => {
  const path = join(tmpFolder("access"), "credentials.json");
  const store = createCredentialFile(path);
  await store.save(CREDENTIALS);
  chmodSync(path, 0o644);
  await store.load();
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a damaged file stops the start instead of opening the door", async () => {
  const path = join(tmpFolder("access"), "credentials.json");
  const store = createCredentialFile(path);
  await store.save(CREDENTIALS);
  const good = readFileSync(path, "utf8");
  const bad = [
    "",
    "{",
    "null",
    "[]",
    good.slice(0, -20),
    good.replace('"user"', '"x"'),
    good.replace('"epoch": 4', '"epoch": "4"'),
    good.replace('"version": 1', '"version": 2'),
    good.replace(/"tokenKey": "..../, '"tokenKey": "'),
    good.replace(/"passwordHash": "[^"]*"/, '"passwordHash": null'),
  ];
  for (const text of bad) {
    writeFileSync(path, text);
    const error = await store.load().catch((thrown: unknown) => thrown);
    expect(error, text).toMatchObject({ code: "start_failed" });
    expect((error as Error).message).toContain("credentials.json is damaged");
  }
});
