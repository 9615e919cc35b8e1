import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { TorrxError } from "../../../src/base/errors.ts";
import { basicHeader, send } from "../../support/api-client.ts";
import { AUTHORIZATION, TORRENT } from "../../support/api-front.ts";
import { fileView, startServer, type TestServer, torrentView } from "../../support/api-services.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startServer({});
});
afterAll(() => server.close());
beforeEach(() => {
  server.torrents.calls.length = 0;
});

async function ask(method: string, path: string, body?: unknown) {
  const headers = {
    authorization: AUTHORIZATION,
    ...(body === undefined ? {} : { "content-type": "application/json" }),
  };
  const answer = await send(server.port, path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = answer.body.toString();
  const isJson = answer.headers.get("content-type")?.startsWith("application/json") === true;
  return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : null };
}

const one = `/api/torrents/${TORRENT}`;

describe("torrents", () => {
  test("are added by magnet or link; new ones are 201, known ones 200", async () => {
    expect((await ask("POST", "/api/torrents", { magnet: "magnet:x" })).status).toBe(201);
    expect((await ask("POST", "/api/torrents", { magnet: "magnet:again", paused: true })).status).toBe(200);
    expect((await ask("POST", "/api/torrents", { url: "https://x/y.torrent" })).status).toBe(201);
    expect(server.torrents.calls).toEqual([
      ["addMagnet", "magnet:x", { paused: false }],
      ["addMagnet", "magnet:again", { paused: true }],
      ["addUrl", "https://x/y.torrent", { paused: false }],
    ]);
  });

  test("are added by upload, byte for byte", async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(50_000));
    const form = new FormData();
    form.append("torrent", new File([bytes], "ä.torrent"));
    form.append("paused", "true");
    const encoded = new Response(form);
    const headers = {
      authorization: AUTHORIZATION,
      "content-type": encoded.headers.get("content-type") ?? "",
    };
    const body = Buffer.from(await encoded.arrayBuffer());
    expect((await send(server.port, "/api/torrents", { method: "POST", headers, body })).status).toBe(201);
    const [name, sent, options] = server.torrents.calls[0] ?? [];
    expect([name, options]).toEqual(["addTorrentFile", { paused: true }]);
    expect(Buffer.from(sent as Uint8Array).equals(bytes)).toBe(true);
  });

  test("are listed with what is asked for", async () => {
    const list = await ask(
      "GET",
      "/api/torrents?status=paused&search=x&sort=-name&limit=5&offset=2&fields=id,added_at",
    );
    expect(list.json).toEqual({ items: [{ id: TORRENT, added_at: "2026-01-02T00:00:00.000Z" }], total: 1 });
    expect(server.torrents.calls[0]).toEqual([
      "list",
      { status: "paused", search: "x", sort: "-name", limit: 5, offset: 2 },
    ]);
    expect((await ask("GET", "/api/torrents?fields=id,constructor")).status).toBe(422);
    expect((await ask("GET", "/api/torrents?sort=zzz")).json.error.message).toBe(
      'sort must be one of added_at, name, size, progress, download_speed, with "-" before it to turn it',
    );
    expect((await ask("GET", "/api/torrents?limit=0")).json.error.message).toBe(
      "limit must be a whole number from 1 to 99999",
    );
  });

  test("are shown with their files, in snake case, with links that differ by device and stay the same", async () => {
    const shown = await ask("GET", `/api/torrents/${TORRENT.toUpperCase()}`);
    expect(shown.json).toMatchObject({
      id: TORRENT,
      eta_sec: 30,
      save_path: "/data/A torrent",
      completed_at: null,
    });
    expect(shown.json.wait).toMatchObject({
      code: "NO_PEERS",
      since: "2026-01-03T00:00:00.000Z",
      need_bytes: 5,
    });
    const [video, info] = shown.json.files;
    expect(video).toMatchObject({ index: 0, path: "dir/complete.mkv", is_selected: true, is_video: true });
    expect(video.stream_url).toStartWith(`/api/stream/${TORRENT}/0/complete.mkv?token=v1.`);
    expect(info.stream_url).toStartWith(`/api/stream/${TORRENT}/1?token=v1.`);
    expect((await ask("GET", one)).text).toBe(shown.text);
    const other = await send(server.port, one, {
      headers: { authorization: AUTHORIZATION, "user-agent": "phone" },
    });
    expect(JSON.parse(other.body.toString()).files[0].stream_url).not.toBe(video.stream_url);
  });

  test("with very many files give links to the videos only", async () => {
    const before = server.torrents.files;
    server.torrents.files = Array.from({ length: 1_001 }, (_, i) =>
      fileView(i, i === 7 ? "a.mkv" : `${i}.txt`),
    );
    const { files } = (await ask("GET", one)).json;
    expect(files.filter((file: { stream_url: string | null }) => file.stream_url !== null).length).toBe(1);
    server.torrents.files = before;
  });

  test("are changed, commanded and removed", async () => {
    await ask("PATCH", one, {
      name: "n",
      priority: "high",
      download: "watched",
      max_download_speed: 1,
      max_upload_speed: 2,
    });
    await ask("PATCH", `${one}/files`, {
      files: [{ index: 1, is_selected: false, priority: "low" }, { index: 2 }],
    });
    for (const command of ["pause", "resume", "recheck", "reannounce"]) {
      expect((await ask("PUT", `${one}/${command}`)).json.id).toBe(TORRENT);
    }
    expect((await ask("DELETE", one)).status).toBe(204);
    expect((await ask("DELETE", `${one}?delete_files=true`)).status).toBe(204);
    expect((await ask("DELETE", `${one}?delete_files=yes`)).status).toBe(422);
    expect(server.torrents.calls).toEqual([
      [
        "patch",
        TORRENT,
        { name: "n", priority: "high", download: "watched", maxDownloadSpeed: 1, maxUploadSpeed: 2 },
      ],
      ["patchFiles", TORRENT, [{ index: 1, isSelected: false, priority: "low" }, { index: 2 }]],
      ["pause", TORRENT],
      ["resume", TORRENT],
      ["recheck", TORRENT],
      ["reannounce", TORRENT],
      ["remove", TORRENT, { deleteFiles: false }],
      ["remove", TORRENT, { deleteFiles: true }],
    ]);
  });

  test("show pieces and trackers, without the user's passkey", async () => {
    expect((await ask("GET", `${one}/pieces`)).json).toEqual({ count: 3, length: 16_384, have: "oA==" });
    const trackers = await ask("GET", `${one}/trackers`);
    expect(trackers.json.items[0].url).toBe("https://tracker.example/announce/…?…");
    expect((await ask("GET", `${one}/peers`)).json).toEqual({ items: [] });
  });

  test("errors of the services keep their code, status and Retry-After", async () => {
    for (const [code, status] of [
      ["not_ready", 409],
      ["invalid_magnet", 400],
      ["disk_full", 507],
      ["busy", 503],
    ] as const) {
      server.torrents.failure = new TorrxError(code, "told", { retryAfterSec: 1.2 });
      const answer = await ask("GET", one);
      expect([answer.status, answer.json, answer.headers.get("retry-after")]).toEqual([
        status,
        { error: { code, message: "told" } },
        "2",
      ]);
    }
    server.torrents.failure = null;
    for (const path of [
      "/api/torrents/zzz",
      `/api/torrents/${"0".repeat(40)}`,
      "/api/zzz",
      "/api/torrents/%zz",
    ]) {
      expect([(await ask("GET", path)).status, path]).toEqual([404, path]);
    }
  });
});

describe("the server's own routes", () => {
  test("settings are shown, changed one by one, and refused whole", async () => {
    const before = (await ask("GET", "/api/settings")).json;
    expect(Object.keys(before).sort()).toEqual([
      "buffer_ahead_percent",
      "download_dir",
      "hls_segment_duration_sec",
      "max_concurrent_torrents",
      "max_download_speed",
      "max_upload_speed",
      "ram_buffer_mb",
      "ram_total_mb",
      "seed_ratio_limit",
      "stream_token_ttl_hours",
    ]);
    const after = await ask("PUT", "/api/settings", { seed_ratio_limit: 3.5 });
    expect(after.json).toEqual({ ...before, seed_ratio_limit: 3.5 });
    const memory = { ram_buffer_mb: 64, ram_total_mb: 512, buffer_ahead_percent: 90 };
    expect((await ask("PUT", "/api/settings", memory)).json).toEqual({ ...after.json, ...memory });
    const hls = { hls_segment_duration_sec: 6 };
    expect((await ask("PUT", "/api/settings", hls)).json).toEqual({ ...after.json, ...memory, ...hls });
    expect(
      (await ask("PUT", "/api/settings", { seed_ratio_limit: 1, playback_save_interval_sec: 4 })).status,
    ).toBe(422);
    expect((await ask("GET", "/api/settings")).json.seed_ratio_limit).toBe(3.5);
  });

  test("status carries load, streams and the warnings of the login", async () => {
    const { json } = await ask("GET", "/api/status");
    expect(json).toMatchObject({
      version: "1.2.3",
      uptime_sec: 5,
      ram: { used: 3, cap: 6, rss: 7 },
      disk: { free: 4, total: 5 },
    });
    expect(json.streams[0]).toMatchObject({
      torrent_id: TORRENT,
      file_index: 1,
      client_ip: "192.0.2.1",
      mode: "hls",
      window: { bytes: 30, ahead_sec: 48, behind_sec: 12, hit_rate: 0.971 },
    });
    expect(json.warnings).toEqual([{ code: "w", message: "m" }]);
  });

  test("a playlist is called like its torrent, as far as a file can be", async () => {
    const nameOf = async (name: string) => {
      server.torrents.items.set(TORRENT, torrentView({ name }));
      const { headers } = await ask("GET", `${one}/playlist.m3u8`);
      return decodeURIComponent(headers.get("content-disposition")?.split("UTF-8''")[1] ?? "");
    };
    expect(await nameOf("Film (2020) день")).toBe("Film (2020) день.m3u8");
    expect(await nameOf('../a\\b:c*?"<>|\r\n\u202ed')).toBe("_a_b_c_d.m3u8");
    expect(await nameOf("x".repeat(300))).toBe(`${"x".repeat(120)}.m3u8`);
    expect(await nameOf(" .. ")).toBe(`${TORRENT}.m3u8`);
    server.torrents.items.set(TORRENT, torrentView());
  });

  test("a file's info tells mode, wait and window", async () => {
    const info = await ask("GET", `/api/stream/${TORRENT}/1/info`);
    expect(info.json).toMatchObject({ mode: "hls", is_complete: false, wait: { code: "NO_PEERS" } });
    expect(info.json).toMatchObject({ duration_sec: 600.5, position_sec: 12.5 });
    expect(info.json.tracks.audio).toEqual([
      {
        index: 0,
        language: "en",
        codec: "ac3",
        channels: 6,
        title: null,
        default: true,
        commentary: false,
      },
    ]);
    expect(info.json.tracks.subtitles).toMatchObject([
      { index: 0, source: "embedded", available: false, reason: "SubtitleCodecNotSupported" },
      { index: 1, source: "file", available: true, reason: null, forced: true },
    ]);
    expect(info.json.window).toEqual({ position_bytes: 10, ahead_bytes: 20 });
    const complete = await ask("GET", `/api/stream/${TORRENT}/0/info`);
    expect(complete.json).toMatchObject({ is_complete: true, wait: null, window: null });
    expect((await ask("GET", `/api/stream/${TORRENT}/99/info`)).status).toBe(404);
  });

  test("a part of a film keeps its length and bytes; it is cached only under the address of a session", async () => {
    const part = (n: string, query: string) => ask("GET", `/api/stream/${TORRENT}/1/segment/${n}${query}`);
    for (const n of ["init", "3"]) {
      const bare = await part(n, "?r=v0");
      expect([bare.status, bare.headers.get("cache-control")]).toEqual([200, "no-store"]);
      expect(bare.text).toBe(n === "3" ? "segment" : n);
      expect(bare.headers.get("content-length")).toBe(String(bare.text.length));
      const { headers } = await part(n, "?r=v0&session=s1");
      expect(headers.get("cache-control")).toBe("private, max-age=3600, immutable");
    }
    expect((await part("3", "?r=s0")).headers.get("cache-control")).toBe("no-store");
    expect((await part("3", "?r=s0&session=s1")).headers.get("cache-control")).toBe("private, no-cache");
  });

  test("a command without a body may name the type of one", async () => {
    const paused = await send(server.port, `/api/torrents/${TORRENT}/pause`, {
      method: "PUT",
      headers: { authorization: AUTHORIZATION, "content-type": "application/json" },
    });
    expect(paused.status).toBeLessThan(300);
  });

  test("credentials are changed by who knows the old password", async () => {
    const own = await startServer();
    const put = (body: object, authorization = AUTHORIZATION) =>
      send(own.port, "/api/settings/credentials", {
        method: "PUT",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    expect((await put({ current_password: "wrong", password: "new one" })).status).toBe(422);
    expect((await put({ current_password: "correct horse", password: "new one" })).status).toBe(204);
    expect(
      (await send(own.port, "/api/settings", { headers: { authorization: AUTHORIZATION } })).status,
    ).toBe(401);
    const now = { authorization: basicHeader("admin", "new one") };
    expect((await send(own.port, "/api/settings", { headers: now })).status).toBe(200);
    await own.close();
  });
});

describe("live events over the wire", () => {
  const open = (port: number) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(`GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${AUTHORIZATION}\r\n\r\n`);
    let text = "";
    let wake: () => void = () => undefined;
    socket.on("data", (part) => {
      text += part.toString();
      wake();
    });
    const until = async (needle: string) => {
      while (!text.includes(needle)) await new Promise<void>((resolve) => (wake = resolve));
      return text;
    };
    return { socket, until };
  };

  test("arrive at once as an event stream, and end with the client", async () => {
    const client = open(server.port);
    const head = await client.until("event: snapshot");
    expect(head).toContain("content-type: text/event-stream");
    expect(server.live.listeners.size).toBe(1);
    server.live.emit({ type: "torrent_removed", id: TORRENT });
    await client.until("event: patch");
    client.socket.destroy();
    while (server.live.listeners.size > 0) await Bun.sleep(1);
  });

  test("end when the credentials change, for who listens by the old ones", async () => {
    const own = await startServer();
    const client = open(own.port);
    await client.until("event: snapshot");
    const changed = await send(own.port, "/api/settings/credentials", {
      method: "PUT",
      headers: { authorization: AUTHORIZATION, "content-type": "application/json" },
      body: JSON.stringify({ current_password: "correct horse", password: "new one" }),
    });
    expect(changed.status).toBe(204);
    await client.until("\r\n0\r\n");
    expect(own.live.listeners.size).toBe(0);
    client.socket.destroy();
    await own.close();
  });

  test("end at once when the server closes, which waits for nobody", async () => {
    const own = await startServer();
    const client = open(own.port);
    await client.until("event: snapshot");
    const startMs = performance.now();
    const ended = new Promise((resolve) => client.socket.on("close", resolve));
    await own.close();
    await ended;
    expect(performance.now() - startMs).toBeLessThan(2_000);
    expect(own.live.listeners.size).toBe(0);
  });
});
