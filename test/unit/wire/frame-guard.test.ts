import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BLOCK_BYTES, LIMITS } from "../../../src/base/limits.ts";
import { GuardRecorder } from "./guard-recorder.ts";
import { frames, PIECES } from "./links.ts";

const HANDSHAKE = frames.handshake();

/** The last line after the handshake and these bytes. */
function outcome(bytes: Uint8Array, options: ConstructorParameters<typeof GuardRecorder>[0] = {}): string {
  return new GuardRecorder(options).feed(HANDSHAKE).feed(bytes).lines.at(-1) ?? "";
}

/** A frame that only announces its length. */
function announced(id: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length >>> 0);
  bytes[4] = id;
  return bytes;
}

describe("frame lengths", () => {
  const fixed: [string, number, number][] = [
    ["choke", 0, 1],
    ["unchoke", 1, 1],
    ["interested", 2, 1],
    ["not interested", 3, 1],
    ["have", 4, 5],
    ["request", 6, 13],
    ["cancel", 8, 13],
    ["port", 9, 3],
    ["suggest", 13, 5],
    ["have all", 14, 1],
    ["have none", 15, 1],
    ["reject", 16, 13],
    ["allowed fast", 17, 5],
  ];
  test.each(fixed)("%s has one length", (_, id, length) => {
    const body = new Uint8Array(length - 1);
    if (length === 13) body[11] = 1;
    expect(outcome(frames.of(id, body))).toMatch(/^(control|request|cancel|reject)/);
    expect(outcome(announced(id, length + 1))).toBe("fault frame_too_large");
    if (length > 1) expect(outcome(announced(id, length - 1))).toBe("fault bad_frame");
  });

  test.each([
    ["piece", 7, 9 + BLOCK_BYTES],
    ["bitfield", 5, 1 + LIMITS.frame.bitfieldBeforeMetadataBytes],
    ["unknown", 99, LIMITS.frame.unknownBytes],
  ])("%s passes at its cap and not past it", (_, id, cap) => {
    const follows = frames.of(1);
    const lines = new GuardRecorder()
      .feed(HANDSHAKE)
      .feed(Buffer.concat([frames.of(id, new Uint8Array(cap - 1)), follows])).lines;
    expect(lines.at(-1)).toBe("control 0000000101");
    expect(outcome(announced(id, cap + 1))).toBe("fault frame_too_large");
  });

  test("extended passes at its cap, its handshake at its smaller one", () => {
    const cap = LIMITS.frame.extendedBytes;
    expect(outcome(frames.extended(3, new Uint8Array(cap - 2)))).toStartWith(`extended 3 ${cap - 2}:`);
    expect(outcome(announced(20, cap + 1))).toBe("fault frame_too_large");
    const handshakeCap = LIMITS.frame.extendedHandshakeBytes;
    expect(outcome(frames.extended(0, new Uint8Array(handshakeCap)))).toStartWith(
      `extended 0 ${handshakeCap}:`,
    );
    expect(outcome(frames.extended(0, new Uint8Array(handshakeCap + 1)).subarray(0, 6))).toBe(
      "fault frame_too_large",
    );
    expect(outcome(frames.extended(3, ""))).toBe("extended 3 ");
    expect(outcome(announced(20, 1))).toBe("fault bad_frame");
  });

  test.each([2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1])("an announced length of %p is past every cap", (length) => {
    for (let id = 0; id < 256; id++) expect(outcome(announced(id, length))).toBe("fault frame_too_large");
  });

  test("a piece without payload is no frame", () => {
    expect(outcome(announced(7, 9))).toBe("fault bad_frame");
    expect(outcome(frames.piece(0, 0, new Uint8Array(1)))).toBe("block 0 0 1 00");
  });

  test("keep-alives and unknown messages pass unseen", () => {
    const bytes = Buffer.concat([new Uint8Array(8), frames.of(21, [1, 2, 3]), frames.of(200), frames.of(3)]);
    expect(new GuardRecorder().feed(HANDSHAKE).feed(bytes).lines.slice(1)).toEqual(["control 0000000103"]);
  });
});

describe("against the geometry", () => {
  const known = { pieces: PIECES };
  const rows: [string, Uint8Array, string][] = [
    ["have of the last piece", frames.numbers(4, 9), "control"],
    ["have past the last piece", frames.numbers(4, 10), "fault bad_index"],
    ["have of −1", frames.numbers(4, -1), "fault bad_index"],
    ["suggest past the end", frames.numbers(13, 10), "fault bad_index"],
    ["allowed fast past the end", frames.numbers(17, 10), "fault bad_index"],
    ["request of a piece's end", frames.numbers(6, 0, 16384, 16384), "request 0 16384 16384"],
    ["request over a piece's end", frames.numbers(6, 0, 16384, 16385), "fault bad_index"],
    ["request over the short last piece", frames.numbers(6, 9, 16384, 4097), "fault bad_index"],
    ["request of the short last block", frames.numbers(6, 9, 16384, 4096), "request 9 16384 4096"],
    ["request past the last piece", frames.numbers(6, 10, 0, 1), "fault bad_index"],
    ["request of nothing", frames.numbers(6, 0, 0, 0), "fault bad_index"],
    ["request of 2 GiB", frames.numbers(6, 0, 0, 2 ** 31), "fault bad_index"],
    ["request from −16", frames.numbers(6, 0, -16, 16), "fault bad_index"],
    ["cancel past the last piece", frames.numbers(8, 10, 0, 1), "fault bad_index"],
    ["reject past the last piece", frames.numbers(16, 10, 0, 1), "fault bad_index"],
    ["piece past the last", frames.piece(10, 0, new Uint8Array(1)), "fault bad_index"],
    ["piece over its end", frames.piece(0, 32767, new Uint8Array(2)), "fault bad_index"],
    ["piece at its end", frames.piece(0, 32767, new Uint8Array(1)), "block 0 32767 1 00"],
    ["bitfield", frames.of(5, [0xff, 0xc0]), "control"],
    ["bitfield too short", frames.of(5, [0xff]), "fault bad_bitfield"],
    ["bitfield too long", frames.of(5, [0xff, 0xc0, 0]), "fault bad_bitfield"],
    ["bitfield with spare bits", frames.of(5, [0xff, 0xe0]), "fault bad_bitfield"],
  ];
  test.each(rows)("%s", (_, bytes, expected) => {
    expect(outcome(bytes, known)).toStartWith(expected);
  });

  test("a request may be of the greatest allowed size and no greater", () => {
    const big = { pieces: { pieceCount: 1, pieceLength: () => 1 << 20 } };
    const cap = LIMITS.peer.requestBytes;
    expect(outcome(frames.numbers(6, 0, 0, cap), big)).toBe(`request 0 0 ${cap}`);
    expect(outcome(frames.numbers(6, 0, 0, cap + 1), big)).toBe("fault bad_index");
  });

  test("before metadata is known an index is held to the greatest torrent", () => {
    expect(outcome(frames.numbers(4, LIMITS.metainfo.pieces - 1))).toStartWith("control");
    expect(outcome(frames.numbers(4, LIMITS.metainfo.pieces))).toBe("fault bad_index");
  });
});

describe("order", () => {
  test.each([13, 14, 15, 16, 17])("message %p needs BEP 6 on both sides", (id) => {
    const bytes =
      id === 16 ? frames.numbers(16, 0, 0, 1) : frames.of(id, new Uint8Array(id % 4 === 1 ? 4 : 0));
    expect(outcome(bytes, { hasFast: false })).toBe("fault bad_frame");
  });

  test("a peer says once what it has, save that have-none may be followed", () => {
    const all = frames.of(14);
    const none = frames.of(15);
    const bits = frames.of(5, [0xff]);
    expect(outcome(Buffer.concat([none, bits]))).toStartWith("control");
    for (const pair of [
      [all, none],
      [all, bits],
      [bits, all],
      [bits, bits],
      [none, none],
    ]) {
      expect(outcome(Buffer.concat(pair))).toBe("fault bad_frame");
    }
  });
});

describe("chunks", () => {
  const anyFrame = fc.oneof(
    fc.constantFrom(0, 1, 2, 3, 14, 15).map((id) => frames.of(id)),
    fc.tuple(fc.constantFrom(4, 13, 17), fc.nat(11)).map(([id, piece]) => frames.numbers(id, piece)),
    fc
      .tuple(fc.constantFrom(6, 8, 16), fc.nat(10), fc.nat(2), fc.nat(16385))
      .map(([id, piece, block, length]) => frames.numbers(id, piece, block * 16384, length)),
    fc
      .tuple(fc.nat(9), fc.uint8Array({ minLength: 1, maxLength: 300 }))
      .map(([piece, block]) => frames.piece(piece, 16384, block)),
    fc.tuple(fc.nat(4), fc.uint8Array({ maxLength: 40 })).map(([id, body]) => frames.extended(id, body)),
    fc
      .tuple(fc.integer({ min: 21, max: 255 }), fc.uint8Array({ maxLength: 40 }))
      .map(([id, body]) => frames.of(id, body)),
    fc.constant(frames.of(5, [0xaa, 0x80])),
    fc.constant(new Uint8Array(4)),
    fc.uint8Array({ minLength: 1, maxLength: 20 }),
  );

  test("however a stream is split, the same comes out of it", () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 200 }),
        fc.boolean(),
        (parts, sizes, isKnown) => {
          const bytes = Buffer.concat([HANDSHAKE, ...parts]);
          const options = isKnown ? { pieces: PIECES } : {};
          const whole = new GuardRecorder(options).feed(bytes).lines;
          expect(new GuardRecorder(options).feed(bytes, sizes).lines).toEqual(whole);
          const single = new Array<number>(bytes.length).fill(1);
          expect(new GuardRecorder(options).feed(bytes, single).lines).toEqual(whole);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("a block that is discarded half-way is written no further, and its end is still told", () => {
    const recorder = new GuardRecorder({ pieces: PIECES }).feed(HANDSHAKE);
    const bytes = frames.piece(0, 0, new Uint8Array(8).fill(1));
    recorder.feed(bytes.subarray(0, bytes.length - 5));
    recorder.guard.giveUpTarget();
    recorder.feed(bytes.subarray(bytes.length - 5));
    expect(recorder.lines.at(-1)).toBe("block 0 0 8 0101010000000000");
    recorder.feed(bytes);
    expect(recorder.lines.at(-1)).toBe("block 0 0 8 0101010101010101");
  });

  test("a large control frame keeps memory to what has arrived", () => {
    const recorder = new GuardRecorder().feed(HANDSHAKE);
    const before = process.memoryUsage().arrayBuffers;
    const guards = Array.from({ length: 200 }, () =>
      new GuardRecorder().feed(HANDSHAKE).feed(announced(5, 200_000)),
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 32 * 1024);
    expect(guards.length + recorder.lines.length).toBe(201);
  });
});
