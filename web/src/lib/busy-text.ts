import { sentence } from "./sentence.ts";

/**
 * Why the server asks to wait, from its message ("reason: in words"). null for waiting_pieces: what a stream waits for is
 * told by the stream itself, with numbers.
 */
export function busyText(message: string): string | null {
  const [, reason = "", words = ""] = /^([a-z]+_[a-z]+): (.+)$/is.exec(message) ?? [];
  if (reason.toLowerCase() === "waiting_pieces") return null;
  return sentence(words === "" ? message : words);
}
