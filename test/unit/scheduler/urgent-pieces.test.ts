import { expect, test } from "bun:test";
import { UrgentPieces } from "../../../src/scheduler/urgent-pieces.ts";

test("urgent pieces are sifted by deadline; those of one deadline keep their order", () => {
  const urgent = new UrgentPieces();
  for (let round = 0; round < 3; round++) {
    urgent.clear();
    for (let piece = 0; piece < 200; piece++) urgent.add(piece, (piece * 7) % 5);
    urgent.sift((piece) => piece % 2 === 0);
    expect(urgent.count).toBe(100);
    for (let at = 1; at < urgent.count; at++) {
      const stepMs = urgent.deadlineMsAt(at) - urgent.deadlineMsAt(at - 1);
      expect(stepMs).toBeGreaterThanOrEqual(0);
      if (stepMs === 0) expect(urgent.pieceAt(at)).toBeGreaterThan(urgent.pieceAt(at - 1));
      expect(urgent.pieceAt(at) % 2).toBe(0);
    }
  }
});
