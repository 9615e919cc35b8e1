import { beforeEach, describe, expect, test } from "bun:test";
import { Bitfield } from "../../../src/base/bitfield.ts";
import { TorrxError } from "../../../src/base/errors.ts";
import { ReaderDesk } from "../../../src/engine/reader-desk.ts";
import { makeTorrent } from "../../support/store-torrent.ts";

const PIECE = 16 * 1024;
const { geometry } = makeTorrent({
  files: [
    { path: "a", lengthBytes: PIECE + 100 },
    { path: "b", lengthBytes: 3 * PIECE },
  ],
  pieceLengthBytes: PIECE,
});
const [first, second] = [geometry.files[0]!, geometry.files[1]!];
let have: Bitfield;
let desk: ReaderDesk;

beforeEach(() => {
  have = new Bitfield(geometry.pieceCount);
  desk = new ReaderDesk(geometry, () => have);
});

function verified(...pieces: number[]): void {
  for (const piece of pieces) {
    have.add(piece);
    desk.pieceVerified(piece);
  }
}

/** Notes what a wait comes to. */
function waiting(reader: number, file = second, atBytes = 0): { result: unknown } {
  const noted: { result: unknown } = { result: "waits" };
  desk.wait(reader, file, atBytes).then(
    (untilBytes) => {
      noted.result = untilBytes;
    },
    (error: unknown) => {
      noted.result = error;
    },
  );
  return noted;
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("the reader desk", () => {
  test("says how far is verified without a hole, and never past the file's end", () => {
    verified(0, 1, 3);
    expect(desk.verifiedUntil(first, 5)).toBe(PIECE + 100);
    expect(desk.verifiedUntil(second, 0)).toBe(PIECE - 100);
    expect(desk.verifiedUntil(second, PIECE)).toBe(PIECE);
  });

  test("a reader waits for the piece it needs and for no other", async () => {
    const reader = waiting(1, second, PIECE);
    verified(1, 3);
    await settle();
    expect(reader.result).toBe("waits");
    verified(2);
    await settle();
    expect(reader.result).toBe(3 * PIECE - 100);
  });

  test("what is there is answered at once", async () => {
    verified(0);
    expect(await desk.wait(1, first, 0)).toBe(PIECE);
  });

  test("a reader that is closed is told, others wait on", async () => {
    const [closed, other] = [waiting(1), waiting(2)];
    desk.close(1);
    await settle();
    expect(closed.result).toMatchObject({ code: "not_found" });
    expect(other.result).toBe("waits");
    verified(1);
    await settle();
    expect(other.result).toBe(PIECE - 100);
  });

  test("a new truth wakes whoever it serves", async () => {
    const [served, other] = [waiting(1, second, 0), waiting(2, second, 2 * PIECE)];
    have.add(1);
    desk.haveChanged();
    await settle();
    expect(served.result).toBe(PIECE - 100);
    expect(other.result).toBe("waits");
    desk.closeAll(new TorrxError("disk_full", "full"));
    await settle();
    expect(other.result).toMatchObject({ code: "disk_full" });
  });
});
