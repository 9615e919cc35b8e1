/** ISO 8601 UTC of wall-clock milliseconds. */
export function isoTime(wallMs: number): string;
export function isoTime(wallMs: number | null): string | null;
export function isoTime(wallMs: number | null): string | null {
  return wallMs === null ? null : new Date(wallMs).toISOString();
}
