// Mutated peer streams: whatever arrives, the guard ends in frames or in a PeerFault, the same however it is split,
// and a whole link with Wire behind the guard never throws into the event loop.

import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../../src/base/random.ts";
import { GuardRecorder } from "../unit/wire/guard-recorder.ts";
import { dialled, frames, PIECES } from "../unit/wire/links.ts";

const { TORRX_TEST_ALL, TORRX_TEST_SEED } = process.env;
const RUNS = TORRX_TEST_ALL ? 1_000_000 : 10_000;
const LINK_RUNS = TORRX_TEST_ALL ? 20_000 : 1_000;
const SEED = Number(TORRX_TEST_SEED ?? 20_261_122);

const EXTENDED_HANDSHAKES = [
  "d1:md11:ut_metadatai3e6:ut_pexi1ee13:metadata_sizei31235e1:pi6881e4:reqqi500e1:v5:abcdee",
  "d1:md9:__proto__d1:ai1ee1:xd8:toStringi5eee1:vi5ee",
];

function seedFrames(random: Random): Uint8Array[] {
  const piece = random.below(11);
  return [
    ...[0, 1, 2, 3, 14, 15].map((id) => frames.of(id)),
    ...[4, 13, 17].map((id) => frames.numbers(id, piece)),
    ...[6, 8, 16].map((id) =>
      frames.numbers(id, piece, random.below(3) * 16384, random.below(2) * 16384 + 1),
    ),
    frames.of(5, [random.below(256), 0x80]),
    frames.of(9, [1, 2]),
    frames.of(21 + random.below(200), random.bytes(random.below(30))),
    frames.piece(piece, random.below(2) * 16384, random.bytes(1 + random.below(60))),
    ...EXTENDED_HANDSHAKES.map((text) => frames.extended(0, text)),
    frames.extended(random.below(4), random.bytes(random.below(20))),
    new Uint8Array(4),
  ];
}

function mutatedStream(random: Random): Uint8Array {
  const kinds = seedFrames(random);
  const parts: Uint8Array[] = [frames.handshake()];
  for (let i = random.below(12); i >= 0; i--) parts.push(kinds[random.below(kinds.length)]!);
  const bytes = new Uint8Array(Buffer.concat(parts));
  for (let i = random.below(4); i > 0; i--) {
    // The handshake is spared mostly: behind a broken one nothing would be reached.
    const at = random.below(20) === 0 ? random.below(68) : 68 + random.below(bytes.length - 68);
    bytes[at] = [0, 0xff, 0x7f, 0x80, bytes[at]! ^ (1 << random.below(8)), random.below(256)][
      random.below(6)
    ]!;
  }
  return random.below(4) === 0 ? bytes.subarray(0, 68 + random.below(bytes.length - 68)) : bytes;
}

test(`${RUNS} mutated streams end in frames or in a fault, the same however they are split`, () => {
  const random = seededRandom(SEED);
  const faults = new Set<string>();
  for (let run = 0; run < RUNS; run++) {
    const bytes = mutatedStream(random);
    const options = random.below(2) === 0 ? { pieces: PIECES } : {};
    const sizes = Array.from({ length: 1 + random.below(30) }, () => 1 + random.below(40));
    const whole = new GuardRecorder(options).feed(bytes).lines;
    const split = new GuardRecorder(options).feed(bytes, sizes).lines;
    if (whole.join("\n") !== split.join("\n")) {
      throw new Error(`seed ${SEED} run ${run}: ${Buffer.from(bytes).toString("hex")} split ${sizes}`);
    }
    const last = whole.at(-1) ?? "";
    if (last.startsWith("fault")) faults.add(last);
  }
  expect([...faults].sort()).toEqual([
    "fault bad_bitfield",
    "fault bad_frame",
    "fault bad_handshake",
    "fault bad_index",
    "fault frame_too_large",
  ]);
}, 600_000);

test(`${LINK_RUNS} mutated streams through a whole link end in calls or in one close`, async () => {
  const random = seededRandom(SEED + 1);
  for (let run = 0; run < LINK_RUNS; run++) {
    const bytes = mutatedStream(random);
    const { socket, handler, link } = await dialled();
    if (random.below(2) === 0) link.setPieces(PIECES);
    const cut = random.below(bytes.length + 1);
    void socket.arrive(bytes.subarray(0, cut));
    await socket.arrive(bytes.subarray(cut));
    link.close("over");
    const closes = handler.lines.filter((line) => line.startsWith("close"));
    const text = `seed ${SEED + 1} run ${run}: ${Buffer.from(bytes).toString("hex")}`;
    expect(closes.length, text).toBe(1);
    expect(closes[0], text).not.toBe("close error");
    expect(handler.lines.at(-1), text).toBe(closes[0]!);
  }
}, 600_000);
