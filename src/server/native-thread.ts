// The native addon, without which there is no start.

import { type NativeThread, openNative } from "../../native/index.ts";
import { describeError, TorrxError } from "../base/errors.ts";

/** For the calling thread alone. Throws start_failed with the command that builds the addon. */
export function openNativeThread(): NativeThread {
  try {
    return openNative();
  } catch (error) {
    throw new TorrxError("start_failed", describeError(error), { cause: error });
  }
}
