// A machine without ffmpeg, for the services' tests that play nothing.

import { TorrxError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { MediaOptions } from "../../src/services/media/index.ts";
import { tmpFolder } from "./tmp.ts";

export function noMediaPrograms(): MediaOptions {
  let lastReader = 0;
  return {
    programs: {
      start: () => Promise.reject(new TorrxError("unsupported_media", "ffmpeg was not found")),
      check: () => Promise.resolve({ version: null, warnings: [] }),
      pids: [],
      killAll: () => Promise.resolve(),
    },
    ownOrigin: () => "http://127.0.0.1:9",
    tempDir: tmpFolder("media-temp"),
    nextReaderId: () => ++lastReader,
    random: seededRandom(5),
    onRevoked: () => () => undefined,
  };
}
