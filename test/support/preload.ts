// Runs once before the first test file. A rejection that nobody handles fails the run instead of being printed; what
// tests left behind (folders, processes) goes when the last file is over. The hook stands here because a support
// module is loaded once for all files, so a hook of its own would belong to the first file that imports it.

import { afterAll } from "bun:test";
import { endForgottenProcesses } from "./process.ts";
import { removeTmpFolders } from "./tmp.ts";

process.on("unhandledRejection", (reason) => {
  throw reason instanceof Error ? reason : new Error(String(reason));
});

afterAll(async () => {
  await endForgottenProcesses();
  removeTmpFolders();
});
