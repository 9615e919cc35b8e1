// The body of an answer that is a part of a film: read as its client takes it, and let go when it has all or has gone.

import type { MediaPart } from "../../services/media/index.ts";

const CHUNK_BYTES = 256 * 1024;

export function partBody(part: MediaPart): ReadableStream<Uint8Array> {
  let atBytes = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const chunk = await part.read(atBytes, Math.min(CHUNK_BYTES, part.lengthBytes - atBytes));
          atBytes += chunk.length;
          controller.enqueue(chunk);
        } catch (error) {
          part.release();
          throw error;
        }
        if (atBytes < part.lengthBytes) return;
        part.release();
        controller.close();
      },
      cancel: () => part.release(),
    },
    { highWaterMark: 0 },
  );
}
