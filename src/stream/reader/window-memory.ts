// What this half needs of native memory; a NativeThread is one, and so is a fake in a test.

import type { NativeThread } from "../../../native/index.ts";

export type WindowMemory = Pick<
  NativeThread,
  | "setCapacity"
  | "adoptFile"
  | "releaseFile"
  | "findTorrent"
  | "openWindow"
  | "setWindowSource"
  | "shapeWindow"
  | "readWindow"
  | "unpin"
  | "windowFigures"
  | "closeWindow"
  | "figures"
>;
