// Door of the native addon: one NativeThread for each JS thread that needs it, made and closed by the composition; and
// the place of the program that starts ffmpeg in a sandbox.

export type {
  CheckResult,
  FileToken,
  NativeFigures,
  NativeThread,
  PieceToken,
  SettleResult,
  TorrentShape,
  TorrentState,
  TorrentToken,
  WindowChunk,
  WindowFigures,
  WindowPlace,
  WindowShape,
  WindowState,
  WindowToken,
} from "./api.ts";
export { EXEC_PATH } from "./exec-path.ts";
export { openNative } from "./thread.ts";
