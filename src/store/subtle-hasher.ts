// SHA-1 by WebCrypto, which runs on the runtime's own threads and leaves the loop free.

import type { PieceHasher } from "./ports.ts";

export const subtleHasher: PieceHasher = {
  async sha1(bytes) {
    return new Uint8Array(await crypto.subtle.digest("SHA-1", bytes as Uint8Array<ArrayBuffer>));
  },
};
