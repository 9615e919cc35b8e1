// A thread that has opened everything and has jobs of all kinds under way, for the tests of threads.test.ts.

import { parentPort } from "node:worker_threads";
import { openNative } from "../../native/index.ts";
import { MIB, sha1Of, someBytes } from "./native-rig.ts";

const PIECE = MIB;
const PIECES = 24;

interface Order {
  readonly infoHash: string;
  readonly fd: number;
  /** Pieces are settled when asked for, and had from then on; otherwise all at once, and much is checked as well. */
  readonly isOnDemand: boolean;
}

function begin({ infoHash, fd, isOnDemand }: Order): void {
  const native = openNative();
  native.setCapacity(64 * MIB);
  const torrent = native.openTorrent({ infoHash, pieceLengthBytes: PIECE, totalBytes: PIECES * PIECE });
  const file = native.adoptFile(fd);
  const settle = async (index: number) => {
    const bytes = someBytes(PIECE, index + 1);
    const piece = native.takePiece(torrent, index, PIECE);
    native.writePiece(piece, 0, bytes, 0, PIECE);
    const runs = new Float64Array([file, index * PIECE, 0, PIECE]);
    const { status } = await native.settlePiece(piece, sha1Of(bytes), runs);
    native.releasePiece(piece);
    native.addHave(torrent, index);
    parentPort?.postMessage({ settled: index, status });
  };
  if (isOnDemand) {
    parentPort?.on("message", settle);
  } else {
    const window = native.openWindow({
      torrent,
      fileStartBytes: 0,
      fileLengthBytes: MIB,
      onWake: () => undefined,
    });
    native.readWindow(window, 0, 1);
    for (let index = 0; index < PIECES; index++) void settle(index);
    for (let i = 0; i < 50; i++)
      void native.checkOnDisk(new Uint8Array(20), new Float64Array([0, 0, 64 * MIB]));
  }
  parentPort?.postMessage("ready");
}

parentPort?.once("message", begin);
