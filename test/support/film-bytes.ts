// Where in a film's file a stretch of time lies, as ffprobe tells it of the whole file.

import type { ByteSpan } from "./piece-times.ts";
import { runProcess } from "./process.ts";

interface Packet {
  readonly isVideo: boolean;
  readonly isKey: boolean;
  readonly atSec: number;
  readonly position: number;
  readonly bytes: number;
}

export class FilmBytes {
  readonly #packets: readonly Packet[];

  private constructor(packets: readonly Packet[]) {
    this.#packets = packets;
  }

  static async read(path: string): Promise<FilmBytes> {
    const entries = "packet=codec_type,pts_time,flags,pos,size";
    const words = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", path];
    const child = await runProcess(words);
    if (child.exitCode !== 0) throw new Error(child.tail());
    const { packets } = JSON.parse(child.stdout) as { packets: Readonly<Record<string, string>>[] };
    return new FilmBytes(
      packets.map((packet) => ({
        isVideo: packet["codec_type"] === "video",
        isKey: packet["flags"]?.startsWith("K") ?? false,
        atSec: Number(packet["pts_time"]),
        position: Number(packet["pos"]),
        bytes: Number(packet["size"]),
      })),
    );
  }

  /** All packets that begin in [fromSec, toSec), and the key frame behind them, which shows that they are all. */
  spanOf(fromSec: number, toSec: number): ByteSpan {
    const inside = this.#packets.filter(({ atSec }) => atSec >= fromSec - 0.03 && atSec < toSec);
    const behind = this.#packets.find(
      ({ isVideo, isKey, atSec }) => isVideo && isKey && atSec >= toSec - 0.03,
    );
    const all = behind === undefined ? inside : [...inside, behind];
    return {
      start: Math.min(...all.map(({ position }) => position)),
      end: Math.max(...all.map(({ position, bytes }) => position + bytes)),
    };
  }
}
