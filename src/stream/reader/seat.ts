// One connection's place in its stream: what it took, and the window of its own where it does not read the main one.

import type { TorrxError } from "../../base/errors.ts";
import { RecentBytes } from "../recent-bytes.ts";
import type { StreamWindow } from "./stream-window.ts";

export interface SeatEvents {
  /** A read that found nothing may find something now. */
  wake(): void;
  /** No read will succeed any more. */
  fail(error: TorrxError): void;
}

export class Seat {
  readonly events: SeatEvents;
  takenBytes = 0;
  /** The engine has opened the torrent for this reader: from now on one that is not found is gone. */
  isOpened = false;
  side: StreamWindow | null = null;
  readonly #recent: RecentBytes;

  constructor(events: SeatEvents, nowMs: number) {
    this.events = events;
    this.#recent = new RecentBytes(nowMs);
  }

  took(bytes: number, nowMs: number): void {
    this.takenBytes += bytes;
    this.#recent.add(bytes, nowMs);
  }

  recentBytes(nowMs: number): number {
    return this.#recent.at(nowMs);
  }
}

/** A reader of the main window keeps it unless another takes clearly more: two equals would throw it to and fro. */
const CLEARLY = 2;

/** Who plays: took most of late; before any took anything, the newest. `holder` reads the main window now. */
export function playerOf(seats: Iterable<Seat>, holder: Seat | null, nowMs: number): Seat | null {
  let most: Seat | null = null;
  for (const seat of seats) {
    if (most === null || seat.recentBytes(nowMs) >= most.recentBytes(nowMs)) most = seat;
  }
  if (holder === null || most === null) return most;
  const heldBytes = holder.recentBytes(nowMs);
  return heldBytes > 0 && most.recentBytes(nowMs) < CLEARLY * heldBytes ? holder : most;
}
