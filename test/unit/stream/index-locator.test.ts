import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "../../../src/base/random.ts";
import { locateIndex } from "../../../src/stream/demand/index.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const HEAD = 64 * KIB;
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "index-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A real file of some seconds of test picture and tone. */
function media(name: string, options: readonly string[]): Uint8Array {
  const path = join(folder, name);
  const input = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=440"];
  const done = Bun.spawnSync(
    ["ffmpeg", "-v", "error", "-y", ...input, "-t", "4", "-threads", "1", ...options, path],
    { stdin: "ignore", stderr: "pipe", timeout: 30_000 },
  );
  if (done.exitCode !== 0) throw new Error(done.stderr.toString());
  return new Uint8Array(readFileSync(path));
}

function positionOf(bytes: Uint8Array, needle: readonly number[], last = false): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return last ? buffer.lastIndexOf(Buffer.from(needle)) : buffer.indexOf(Buffer.from(needle));
}

const ascii = (text: string) => [...text].map((char) => char.charCodeAt(0));
const MPEG4 = ["-c:v", "mpeg4", "-b:v", "2M", "-c:a", "aac"];

describe("the index of a real file", () => {
  test("MP4 with moov at the end: from the end of mdat to the end of the file", () => {
    const file = media("end.mp4", MPEG4);
    const moov = positionOf(file, ascii("moov"), true) - 4;
    expect(moov).toBeGreaterThan(HEAD);
    expect(locateIndex(file.subarray(0, HEAD), file.length)).toEqual([{ start: moov, end: file.length }]);
  });

  test("MP4 with moov at the start: nothing to fetch beside the start", () => {
    const file = media("fast.mp4", [...MPEG4, "-movflags", "+faststart"]);
    expect(locateIndex(file.subarray(0, HEAD), file.length)).toEqual([]);
  });

  test("fragmented MP4: nothing", () => {
    const file = media("frag.mp4", [...MPEG4, "-movflags", "+frag_keyframe+empty_moov"]);
    expect(locateIndex(file.subarray(0, HEAD), file.length)).toEqual([]);
  });

  test("MKV: where the SeekHead says that the Cues are", () => {
    const file = media("film.mkv", MPEG4);
    const cues = positionOf(file, [0x1c, 0x53, 0xbb, 0x6b], true);
    expect(cues).toBeGreaterThan(HEAD);
    expect(locateIndex(file.subarray(0, HEAD), file.length)).toEqual([{ start: cues, end: file.length }]);
  });

  test("WebM: the same", () => {
    const file = media("film.webm", ["-c:v", "libvpx", "-b:v", "1M", "-c:a", "libopus"]);
    const cues = positionOf(file, [0x1c, 0x53, 0xbb, 0x6b], true);
    const [range] = locateIndex(file.subarray(0, HEAD), file.length) ?? [];
    expect(range?.start).toBe(cues);
  });

  test("AVI: idx1 behind the movi list", () => {
    const file = media("film.avi", ["-c:v", "mpeg4", "-b:v", "2M", "-c:a", "mp2"]);
    const idx1 = positionOf(file, ascii("idx1"), true);
    const [range] = locateIndex(file.subarray(0, HEAD), file.length) ?? [];
    expect(range?.start).toBe(idx1);
    expect(range?.end).toBe(file.length);
  });

  test("of any of them is found with a head of any length, or more is asked for", () => {
    for (const name of ["end.mp4", "fast.mp4", "film.mkv", "film.webm", "film.avi"]) {
      const file = new Uint8Array(readFileSync(join(folder, name)));
      const whole = locateIndex(file.subarray(0, HEAD), file.length);
      for (let length = 0; length < HEAD; length += 1 + (length >> 4)) {
        const found = locateIndex(file.subarray(0, length), file.length);
        if (found !== null) expect(found, `${name}, ${length} bytes`).toEqual(whole!);
      }
    }
  });
});

describe("the index of anything else", () => {
  const mp4 = (...boxes: [string, number | bigint][]) => {
    const parts = boxes.map(([type, size]) => {
      const header = Buffer.alloc(16);
      if (typeof size === "bigint") {
        header.writeUInt32BE(1, 0);
        header.write(type, 4, "latin1");
        header.writeBigUInt64BE(size, 8);
        return header;
      }
      header.writeUInt32BE(size, 0);
      header.write(type, 4, "latin1");
      return header;
    });
    return new Uint8Array(Buffer.concat(parts));
  };

  test("a 64-bit mdat is followed by its moov", () => {
    const gib = 1024 * MIB;
    const head = mp4(["ftyp", 16], ["mdat", BigInt(6 * gib)]);
    expect(locateIndex(head, 6 * gib + 5 * MIB)).toEqual([{ start: 6 * gib + 16, end: 6 * gib + 5 * MIB }]);
  });

  test("an mdat to the end of the file, or beyond it, has nothing behind it", () => {
    expect(locateIndex(mp4(["ftyp", 16], ["mdat", 0]), 5000)).toEqual([]);
    expect(locateIndex(mp4(["ftyp", 16], ["mdat", 9_999_999]), 5000)).toEqual([]);
    expect(locateIndex(mp4(["ftyp", 16], ["mdat", 2n ** 63n]), 5000)).toEqual([]);
  });

  test("a box of an impossible size makes the file unknown: its last bytes", () => {
    expect(locateIndex(mp4(["ftyp", 16], ["free", 3]), 1000)).toEqual([{ start: 950, end: 1000 }]);
  });

  test("unknown bytes: the last 5 %, at most 8 MiB", () => {
    const noise = new Uint8Array(64).fill(0x47);
    expect(locateIndex(noise, 10 * MIB)).toEqual([{ start: 9.5 * MIB, end: 10 * MIB }]);
    expect(locateIndex(noise, 4096 * MIB)).toEqual([{ start: 4088 * MIB, end: 4096 * MIB }]);
  });

  test("too little of the head: more of it", () => {
    expect(locateIndex(new Uint8Array(0), 10 * MIB)).toBeNull();
    expect(locateIndex(new Uint8Array(15), 10 * MIB)).toBeNull();
    expect(locateIndex(mp4(["ftyp", 16], ["free", 100_000]), 10 * MIB)).toBeNull();
    expect(locateIndex(new Uint8Array(0), 0)).toEqual([]);
    expect(locateIndex(new Uint8Array(3), 3)).toHaveLength(1);
  });

  test("a head of 256 KiB without an answer is the end of asking", () => {
    const head = new Uint8Array(256 * KIB);
    head.set(mp4(["ftyp", 16], ["free", 900_000]));
    expect(locateIndex(head, 10 * MIB)).toEqual([{ start: 9.5 * MIB, end: 10 * MIB }]);
  });

  test("whatever the bytes are, ranges lie in the file and nothing throws", () => {
    const magics = [
      mp4(["ftyp", 24]),
      new Uint8Array([
        0x1a, 0x45, 0xdf, 0xa3, 0x84, 0, 0, 0, 0, 0x18, 0x53, 0x80, 0x67, 0xff, 0x11, 0x4d, 0x9b,
      ]),
      new Uint8Array(Buffer.from("RIFF\x00\x10\x00\x00AVI LIST", "latin1")),
    ];
    for (let seed = 1; seed <= 3_000; seed++) {
      const random = seededRandom(seed);
      const head = random.bytes(random.below(400));
      const magic = magics[random.below(4)];
      if (magic !== undefined && magic.length <= head.length) head.set(magic);
      const length = Math.floor(random.next() ** 4 * 1e10);
      const found = locateIndex(head, length);
      for (const { start, end } of found ?? []) {
        expect(start >= 0 && start < end && end <= length, `seed ${seed}`).toBe(true);
      }
    }
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      for (const name of ["end.mp4", "film.mkv", "film.avi"]) {
        const head = new Uint8Array(readFileSync(join(folder, name))).slice(0, 4 * KIB);
        for (let i = 0; i < 8; i++)
          head[random.below(random.next() < 0.5 ? 400 : head.length)] = random.below(256);
        for (const { start, end } of locateIndex(head, 5 * MIB) ?? []) {
          expect(start >= 0 && start < end && end <= 5 * MIB, `${name}, seed ${seed}`).toBe(true);
        }
      }
    }
  });
});
