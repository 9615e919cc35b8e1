import { describe, expect, test } from "bun:test";
import { acceptsPlaylist } from "../../../../src/media/decision/accept.ts";
import { deliveryOf } from "../../../../src/media/decision/delivery.ts";

const PLAYERS: readonly (readonly [string, string])[] = [
  ["VLC", "VLC/3.0.20 LibVLC/3.0.20"],
  ["VLC on Android", "VLC/3.5.4 LibVLC/3.0.20-vetinari (Linux; Android 13)"],
  ["LibVLC alone", "LibVLC/4.0.0-dev"],
  ["Kodi", "Kodi/20.2 (X11; Linux x86_64) Ubuntu/22.04 App_Bitness/64 Version/20.2-(20.2.0)-Git:20230629"],
  [
    "Kodi on Windows",
    "Kodi/21.0 (Windows NT 10.0.22631; Win64; x64) App_Bitness/64 Version/21.0-Git:20240406",
  ],
  ["XBMC", "XBMC/13.2 (X11; Linux i686) App_Bitness/32 Version/13.2"],
  ["mpv", "mpv 0.35.1"],
  ["mpv by its default name", "libmpv"],
  ["IINA", "IINA/1.3.5"],
  ["ffmpeg", "Lavf/59.27.100"],
  ["MPlayer", "MPlayer/1.5-12"],
  ["ExoPlayer's demo", "exoplayer/2.18.1 (Linux; Android 11) ExoPlayerLib/2.18.1"],
  ["an app with ExoPlayer", "MyTv/3.1 (Linux;Android 12) ExoPlayerLib/2.19.1"],
  ["media3", "androidx.media3.demo.main/1.4.0 (Linux; Android 14) AndroidXMedia3/1.4.0"],
  ["Android's media framework", "stagefright/1.2 (Linux;Android 9)"],
  ["MX Player", "MXPlayer/1.46.10 (Linux; Android 10; ru-RU; SM-G960F Build/QP1A)"],
  ["Just Player", "Just Player/0.169 (Linux;Android 13) ExoPlayerLib/2.19.1"],
  ["Vimu", "VimuPlayer/9.15 (Android 11)"],
  ["nPlayer", "nPlayer/3.12"],
  ["Infuse", "Infuse-Direct/7.6.4"],
  ["Infuse's library", "Infuse-Library/7.6.4"],
  ["GStreamer", "GStreamer souphttpsrc 1.22.0 libsoup/3.2.2"],
  ["Totem", "totem/43.0 GStreamer souphttpsrc libsoup/3.2"],
  ["BubbleUPnP", "BubbleUPnP/4.3.4 UPnP/1.1"],
  ["a renderer", "Linux/4.4 UPnP/1.0 DLNADOC/1.50 Player/2.0"],
  ["a Samsung renderer", "SEC_HHP_[TV] Samsung Q60 (55)/1.0 DLNADOC/1.50"],
  ["Windows Media Player", "NSPlayer/12.00.19041.0001 WMFSDK/12.00.19041.0001"],
  ["MPC-HC", "MPC-HC/2.1.5"],
  ["PotPlayer", "PotPlayer/24.1"],
  ["a player on Android without a name", "Dalvik/2.1.0 (Linux; U; Android 12; SHIELD Android TV Build/SR1A)"],
  ["a player on okhttp", "okhttp/4.12.0"],
];
const OTHERS: readonly (readonly [string, string])[] = [
  [
    "Chrome",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
  ],
  ["Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"],
  [
    "Safari",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
  ],
  ["Safari's media stack", "AppleCoreMedia/1.0.0.21G93 (iPhone; U; CPU OS 17_6 like Mac OS X; en_us)"],
  ["QuickTime", "QuickTime/7.6.6 (qtver=7.6.6;cpu=IA32;os=Mac 10.6.8)"],
  [
    "a Samsung TV",
    "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36",
  ],
  [
    "an LG TV",
    "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 Safari/537.36 WebAppManager",
  ],
  [
    "Chromecast",
    "Mozilla/5.0 (X11; Linux armv7l) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.331 Safari/537.36 CrKey/1.56.500000",
  ],
  ["curl", "curl/7.88.1"],
  ["a word that is no product", "Mozilla/5.0 about my VLC and mpv/kodi talk"],
  ["a name inside a longer one", "NotVLC/1.0 MyKodiRemote/2"],
];

describe("an incomplete file in mode auto", () => {
  test.each(PLAYERS)("goes as bytes to %s", (_, userAgent) => {
    expect(deliveryOf(userAgent, "*/*")).toBe("direct");
    expect(deliveryOf(userAgent, null)).toBe("direct");
  });

  test.each(OTHERS)("goes as HLS to %s", (_, userAgent) => {
    expect(deliveryOf(userAgent, "*/*")).toBe("hls");
    expect(deliveryOf(userAgent, null)).toBe("hls");
  });

  test("goes as HLS to who says nothing at all", () => {
    expect(deliveryOf(null, null)).toBe("hls");
    expect(deliveryOf("", "")).toBe("hls");
  });

  test("goes as bytes to a browser that refuses playlists", () => {
    expect(deliveryOf(OTHERS[0]![1], "video/*")).toBe("direct");
  });

  test("a very long name is looked at as far as its beginning", () => {
    expect(deliveryOf(`${"x ".repeat(600)}VLC/3.0`, null)).toBe("hls");
    expect(deliveryOf(`VLC/3.0 ${"x".repeat(1_000_000)}`, null)).toBe("direct");
  });
});

describe("Accept", () => {
  test.each([
    "*/*",
    "",
    " , ,",
    "application/*",
    "application/vnd.apple.mpegurl",
    "Application/VND.Apple.MPEGURL; q=0.5",
    "application/x-mpegURL, video/mp4",
    "audio/mpegurl",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "video/webm,video/ogg,video/*;q=0.9,application/ogg;q=0.7,audio/*;q=0.6,*/*;q=0.5",
    "*/*;q=0.001",
    "*/*;q=0, application/*",
    "application/*;q=0, application/vnd.apple.mpegurl;q=1.000",
    'video/mp4;a="x, application/*;q=0"; q=1, */*',
    "no media type",
    "application/*;q=nonsense, */*",
  ])("%j takes a playlist", (accept) => {
    expect(acceptsPlaylist(accept)).toBe(true);
  });

  test.each([
    "video/*",
    "video/mp4",
    "video/mp4, video/webm;q=0.9, audio/*",
    "*/*;q=0",
    "*/*;q=0.000",
    "application/*;q=0",
    "*/*, application/vnd.apple.mpegurl;q=0",
    "*/*;q=1, application/*; q=0",
    "application/json",
    'video/mp4;title="application/vnd.apple.mpegurl, */*"',
    'video/mp4;title="\\", */*"',
    "*/mp4, video/mp4",
  ])("%j excludes it", (accept) => {
    expect(acceptsPlaylist(accept)).toBe(false);
  });

  test("a hostile one is read in no time", () => {
    const started = performance.now();
    acceptsPlaylist(`${'a/b;q="'.repeat(200_000)}`);
    acceptsPlaylist(`${",;".repeat(500_000)}*/*`);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
