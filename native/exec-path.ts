// Where the build puts the program that starts ffmpeg in a sandbox (native/exec).

import { resolve } from "node:path";

export const EXEC_PATH = resolve(import.meta.dir, "../.setup/native/torrx-exec");
