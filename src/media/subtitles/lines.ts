/** The lines of a text, ended by LF, CR LF or CR; never all of them in memory at once. */
export function* linesOf(text: string): Generator<string> {
  const even = text.replace(/\r\n?/g, "\n");
  for (let at = 0; at <= even.length; ) {
    const next = even.indexOf("\n", at);
    const end = next < 0 ? even.length : next;
    yield even.slice(at, end);
    at = end + 1;
  }
}
