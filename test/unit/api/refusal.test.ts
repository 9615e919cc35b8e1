// What a sender is told of input that does not fit: what would have, and nothing of what was sent.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { send } from "../../support/api-client.ts";
import { AUTHORIZATION, TORRENT } from "../../support/api-front.ts";
import { startServer, type TestServer } from "../../support/api-services.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const one = `/api/torrents/${TORRENT}`;

async function refusalOf(method: string, path: string, body?: unknown): Promise<string> {
  const encoded = new Response(body instanceof FormData ? body : JSON.stringify(body));
  const type = body instanceof FormData ? encoded.headers.get("content-type") : "application/json";
  const answer = await send(server.port, path, {
    method,
    headers: { authorization: AUTHORIZATION, ...(body !== undefined && { "content-type": type ?? "" }) },
    ...(body !== undefined && { body: Buffer.from(await encoded.arrayBuffer()) }),
  });
  expect(answer.status, `${method} ${path}`).toBe(422);
  return JSON.parse(answer.body.toString()).error.message;
}

function formWith(field: string, value: string | File): FormData {
  const form = new FormData();
  form.append(field, value);
  return form;
}

const SPEED = "must be a whole number of bytes per second, 0 or more";
const FILE_KEYS = "index, is_selected, priority";

test("a value is refused with what its field may be", async () => {
  for (const value of [-1, 1.5, "fast", null, [1], 2 ** 60]) {
    const message = await refusalOf("PUT", "/api/settings", { max_download_speed: value });
    expect(message, String(value)).toBe(`max_download_speed ${SPEED}`);
  }
  const table: [string, string, unknown, string][] = [
    ["PATCH", one, { max_upload_speed: -1 }, `max_upload_speed ${SPEED}`],
    ["PATCH", one, { priority: "canary" }, "priority must be low, normal or high"],
    [
      "PATCH",
      `${one}/files`,
      { files: [{ index: "canary" }] },
      "files.0.index must be a whole number, 0 or more",
    ],
    ["PATCH", `${one}/files`, { files: [{ index: 1 }, {}] }, "files.1.index is required"],
    ["PUT", "/api/settings/credentials", { password: "canary" }, "current_password is required"],
    ["POST", "/api/torrents", { magnet: "m", paused: "canary" }, "paused must be true or false"],
    ["POST", "/api/torrents", formWith("torrent", "canary"), "torrent must be an uploaded file"],
  ];
  for (const [method, path, body, message] of table)
    expect(await refusalOf(method, path, body)).toBe(message);
  expect(await refusalOf("DELETE", `${one}?delete_files=canary`)).toBe("delete_files must be true or false");
});

test("an unknown field is refused with the known ones, and named only where it is a plain name", async () => {
  expect(await refusalOf("DELETE", `${one}?force=true`)).toBe("unknown field force; known are: delete_files");
  expect(await refusalOf("PATCH", `${one}/files`, { files: [{ index: 1, color: "canary" }] })).toBe(
    `unknown field color; known are: ${FILE_KEYS}`,
  );
  for (const key of ["<b>", "a b", "x".repeat(65), "a/b", "", "ключ"]) {
    const message = await refusalOf("PATCH", `${one}/files`, { files: [{ index: 1, [key]: 1 }] });
    expect(message, key).toBe(`an unknown field; known are: ${FILE_KEYS}`);
  }
});

test("an upload under another name is told the right one", async () => {
  const form = formWith("file", new File(["canary"], "a.torrent"));
  expect(await refusalOf("POST", "/api/torrents", form)).toBe("the multipart field must be called torrent");
});

test("a body that changes nothing is refused with what there is to change", async () => {
  const known = "name, priority, download, max_download_speed, max_upload_speed";
  expect(await refusalOf("PATCH", one, {})).toBe(`at least one is needed of: ${known}`);
});
