// A private tracker's URL is a password: its passkey stands in the query, the path or the user part. Nothing of it
// may reach a log line or a message (QUALITY B4 #23), also not when the tracker itself repeats it to us.

const SECRET_SEGMENT = /^(?=.*\d)[A-Za-z0-9_-]{16,}$|^[0-9A-Fa-f]{16,}$/;
const MIN_SECRET_CHARS = 4;
const MAX_MESSAGE_CHARS = 200;

/** The URL for people and logs: scheme, host, port and path, what may be a key replaced by "***". */
export function publicUrl(text: string): string {
  if (!URL.canParse(text)) return "(malformed address)";
  const url = new URL(text);
  const path = url.pathname
    .split("/")
    .map((segment) => (SECRET_SEGMENT.test(segment) ? "***" : segment))
    .join("/");
  return `${url.protocol}//${url.host}${path === "/" ? "" : path}${url.search === "" ? "" : "?***"}`;
}

/** `text` as one printable line, without anything that the tracker's URL keeps secret. */
export function cleanMessage(text: string, trackerUrl: string): string {
  let out = text;
  for (const secret of secretsOf(trackerUrl)) out = out.replaceAll(secret, "***");
  // Control characters, line separators, and the invisible ones that reorder or hide text.
  out = out.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return out.length > MAX_MESSAGE_CHARS ? `${out.slice(0, MAX_MESSAGE_CHARS)}…` : out;
}

function secretsOf(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const url = new URL(text);
  const pairs = url.search.slice(1).split("&");
  const values = pairs.map((pair) => pair.slice(pair.indexOf("=") + 1));
  const found = [
    ...[...url.searchParams.values()].filter((value) => value.length >= MIN_SECRET_CHARS),
    ...values.filter((value) => value.length >= MIN_SECRET_CHARS),
    ...url.pathname.split("/").filter((segment) => SECRET_SEGMENT.test(segment)),
    ...[url.username, url.password].filter((part) => part.length >= MIN_SECRET_CHARS),
  ];
  return [...new Set(found)].sort((a, b) => b.length - a.length);
}
