import type { Status, Stream } from "../api/types.ts";
import { formatBytes, formatPercent } from "./format.ts";

/** "buffer 48 s ahead · hits 97%"; null where nothing of the stream is kept in memory. */
export function bufferText(window: Stream["window"]): string | null {
  if (window === null) return null;
  const ahead = `buffer ${Math.floor(window.ahead_sec)} s ahead`;
  return window.hit_rate === null ? ahead : `${ahead} · hits ${formatPercent(window.hit_rate)}`;
}

/** "memory 210 MB of 1.1 GB" */
export function memoryText({ used, cap }: Status["ram"]): string {
  return `memory ${formatBytes(used)} of ${formatBytes(cap)}`;
}
