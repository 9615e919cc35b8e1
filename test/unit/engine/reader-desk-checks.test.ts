import { expect, test } from "bun:test";
import { Bitfield } from "../../../src/base/bitfield.ts";
import { ReaderDesk } from "../../../src/engine/reader-desk.ts";
import { encodeBencode } from "../../../src/metainfo/bencode.ts";
import { Geometry, parseInfoDict } from "../../../src/metainfo/index.ts";

const PIECE_BYTES = 16_384;

test("a check wakes the readers whose pieces it found, and no others", async () => {
  const info = parseInfoDict(
    encodeBencode({
      length: 4 * PIECE_BYTES,
      name: Buffer.from("film"),
      "piece length": PIECE_BYTES,
      pieces: new Uint8Array(4 * 20),
    }),
  );
  const geometry = new Geometry(info);
  const have = new Bitfield(4);
  const desk = new ReaderDesk(geometry, () => have);
  const file = geometry.files[0];
  if (file === undefined) throw new Error("the torrent has a file");
  const first = desk.wait(1, file, 0);
  const last = desk.wait(2, file, 3 * PIECE_BYTES);
  have.add(0);
  have.add(1);
  desk.haveChanged();
  expect(await first).toBe(2 * PIECE_BYTES);
  desk.close(2);
  await expect(last).rejects.toThrow("the stream was closed");
});
