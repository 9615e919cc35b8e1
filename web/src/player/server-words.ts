// What the server said with a refusal, as it is told to the viewer.

import { sentence } from "../lib/sentence.ts";

export interface Refusal {
  readonly code: string;
  readonly text: string;
}

/** null where `body` is none of the API's. */
export function refusalIn(body: string): Refusal | null {
  try {
    const answer = JSON.parse(body) as { error?: { code?: unknown; message?: unknown } } | null;
    const error = answer?.error;
    if (typeof error?.code !== "string" || typeof error.message !== "string") return null;
    return { code: error.code, text: sentence(error.message) };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
