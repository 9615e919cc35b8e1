import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { TorrxError } from "../../../src/base/errors.ts";
import { send } from "../../support/api-client.ts";
import { AUTHORIZATION, TORRENT } from "../../support/api-front.ts";
import { startServer, type TestServer } from "../../support/api-services.ts";

const BASE = `/api/stream/${TORRENT}/1`;

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.media.calls.splice(0);
  server.media.failure = null;
});

async function ask(method: string, path: string, body?: object) {
  const headers: Record<string, string> = { authorization: AUTHORIZATION, "user-agent": "A player" };
  if (body !== undefined) headers["content-type"] = "application/json";
  const options = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const answer = await send(server.port, path, options);
  const text = answer.body.toString();
  return { ...answer, text, json: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : null };
}

describe("a session", () => {
  test("answers how the file goes to this player, where, and why", async () => {
    const wish = { caps: { mse: true }, position_sec: 63.5, audio: 1, quality: "720", mode: "hls" };
    const { status, json } = await ask("POST", `${BASE}/session`, wish);
    expect(status).toBe(200);
    expect(json).toEqual({
      session: "s1",
      mode: "remux",
      is_playable: true,
      url: expect.stringMatching(new RegExp(`^${BASE}/master\\.m3u8\\?session=s1&token=v1\\.`)),
      reasons: [{ code: "ContainerNotSupported", message: "It cannot.", track: null }],
      quality: "original",
      qualities: ["original"],
      audio: 0,
    });
    expect(server.media.calls).toMatchObject([
      {
        name: "openSession",
        argument: { caps: { mse: true }, positionSec: 63.5, audio: 1, quality: "720", isHlsForced: true },
      },
    ]);
  });

  test("needs no body, and refuses what it does not know", async () => {
    expect((await ask("POST", `${BASE}/session`, {})).status).toBe(200);
    expect(server.media.calls[0]!.argument).toEqual({
      caps: undefined,
      positionSec: 0,
      audio: null,
      quality: "original",
      isHlsForced: false,
    });
    for (const [body, told] of [
      [{ position_sec: -1 }, "position_sec must be a number of seconds, 0 or more"],
      [{ position_sec: "canary" }, "position_sec must be"],
      [{ audio: 1.5 }, "audio must be"],
      [{ quality: "1080" }, "quality must be one of original, 720, 480, all"],
      [{ mode: "direct" }, "mode must be auto or hls"],
      [{ speed: 2 }, "unknown field speed"],
    ] as const) {
      const { status, json } = await ask("POST", `${BASE}/session`, body);
      expect([status, json.error.code]).toEqual([422, "validation"]);
      expect(json.error.message).toStartWith(told);
      expect(json.error.message).not.toContain("canary");
    }
  });

  test("is kept alive and ended by its id", async () => {
    expect((await ask("POST", `${BASE}/session/s1/ping`, { position_sec: 12 })).status).toBe(204);
    expect((await ask("POST", `${BASE}/session/s1/ping`)).status).toBe(204);
    expect((await ask("POST", `${BASE}/session/other/ping`)).status).toBe(404);
    expect((await ask("POST", `${BASE}/session/s1/ping`, { position_sec: "x" })).status).toBe(422);
    expect((await ask("POST", `${BASE}/session/s1/end`)).status).toBe(204);
    expect(server.media.calls.map(({ name, argument, asker }) => [name, argument, asker.session])).toEqual([
      ["ping", 12, "s1"],
      ["ping", null, "s1"],
      ["ping", null, "other"],
      ["endSession", null, "s1"],
    ]);
  });
});

describe("what a player loads", () => {
  test("playlists are never kept; segments are, and say what they are", async () => {
    const master = await ask("GET", `${BASE}/master.m3u8?session=s1&audio=1&quality=all`);
    expect(master.text).toBe("#EXTM3U\nmaster\n");
    const playlist = await ask("GET", `${BASE}/playlist.m3u8?r=a1&session=s1`);
    for (const { headers } of [master, playlist]) {
      expect(headers.get("content-type")).toBe("application/vnd.apple.mpegurl; charset=utf-8");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("etag")).toBeUndefined();
    }
    for (const [query, type] of [
      ["?session=s1", "video/mp4"],
      ["?r=v0&q=720&session=s1", "video/mp4"],
      ["?r=a0&session=s1", "audio/mp4"],
    ]) {
      const { headers, body } = await ask("GET", `${BASE}/segment/7${query}`);
      expect(headers.get("content-type")).toBe(type!);
      expect(headers.get("cache-control")).toBe("private, max-age=3600, immutable");
      expect(headers.get("content-length")).toBe(String(body.length));
    }
    // What a bare link gives depends on who asks.
    expect((await ask("GET", `${BASE}/segment/7`)).headers.get("cache-control")).toBe("no-store");
    const text = await ask("GET", `${BASE}/segment/7?r=s0&session=s1`);
    expect(text.headers.get("content-type")).toBe("text/vtt; charset=utf-8");
    expect(text.headers.get("cache-control")).toBe("private, no-cache");
    expect(server.media.calls.map(({ name, argument }) => [name, argument])).toEqual([
      ["master", { audio: 1, quality: "all" }],
      ["playlist", { kind: "audio", track: 1, quality: "original" }],
      ["segment", "7"],
      ["segment", "7"],
      ["segment", "7"],
      ["segment", "7"],
      ["segment", "7"],
    ]);
  });

  test("the init segment has a name of its own", async () => {
    expect((await ask("GET", `${BASE}/segment/init?r=v0&q=480`)).text).toBe("init");
    expect(server.media.calls).toMatchObject([{ argument: { kind: "video", track: 0, quality: "480" } }]);
  });

  test("subtitles come whole, or for a stretch of two minutes", async () => {
    expect((await ask("GET", `${BASE}/subtitles/3.vtt`)).text).toBe("WEBVTT\n");
    await ask("GET", `${BASE}/subtitles/3.vtt?from=60`);
    await ask("GET", `${BASE}/subtitles/3.vtt?from=60&to=70`);
    expect(server.media.calls.map(({ argument }) => argument)).toEqual([
      [3, null],
      [3, { fromSec: 60, toSec: 180 }],
      [3, { fromSec: 60, toSec: 70 }],
    ]);
    for (const name of ["3", "x.vtt", "3.srt", "1234.vtt"]) {
      expect((await ask("GET", `${BASE}/subtitles/${name}`)).status, name).toBe(404);
    }
  });

  test("audio tracks are a list", async () => {
    const { json } = await ask("GET", `${BASE}/audio_tracks`);
    expect(json).toEqual([
      { index: 0, language: "en", codec: "ac3", channels: 6, title: null, default: true, commentary: false },
    ]);
  });

  test("nonsense is 404 in a path and 422 in a query; what players add to a query is let be", async () => {
    for (const [path, status] of [
      ["segment/x", 404],
      ["segment/-1", 404],
      ["segment/1.5", 404],
      ["segment", 404],
      ["session", 404],
      ["subtitles", 404],
      ["playlist.m3u8?r=v1", 422],
      ["playlist.m3u8?r=a01", 422],
      ["playlist.m3u8?r=x", 422],
      ["playlist.m3u8?q=1080", 422],
      ["master.m3u8?audio=x", 422],
      ["master.m3u8?quality=best", 422],
      ["master.m3u8?session=a/b", 422],
      ["master.m3u8?_=17&_HLS_msn=3", 200],
    ] as const) {
      expect((await ask("GET", `${BASE}/${path}`)).status, path).toBe(status);
    }
  });

  test("failures keep their code, and busy says when to ask again", async () => {
    server.media.failure = new TorrxError("busy", "waiting_pieces: SEEK_FETCH, …", { retryAfterSec: 2 });
    for (const path of ["master.m3u8", "segment/0", "segment/init", "subtitles/0.vtt", "audio_tracks"]) {
      const { status, headers, json } = await ask("GET", `${BASE}/${path}`);
      expect([status, headers.get("retry-after"), json.error.code], path).toEqual([503, "2", "busy"]);
      expect(json.error.message).toStartWith("waiting_pieces: ");
      expect(headers.get("cache-control")).toBe("no-store");
    }
    server.media.failure = new TorrxError("unsupported_media", "ffmpeg was not found");
    expect((await ask("POST", `${BASE}/session`, {})).status).toBe(415);
  });

  test("whoever is logged in is the viewer of the link that the answer carries", async () => {
    await ask("GET", `${BASE}/master.m3u8`);
    const { asker } = server.media.calls[0]!;
    expect(asker).toMatchObject({ torrent: TORRENT, file: 1, userAgent: "A player", session: null });
    const link = server.access.verifyToken(asker.token)!;
    expect(link).toMatchObject({ kind: "stream", torrent: TORRENT, file: 1 });
    expect(asker.viewer).toBe(`link ${link.id}`);
    const byLink = await send(server.port, `${BASE}/master.m3u8?token=${asker.token}`);
    expect(byLink.status).toBe(200);
    expect(server.media.calls[1]!.asker).toMatchObject({ viewer: asker.viewer, token: asker.token });
  });
});
