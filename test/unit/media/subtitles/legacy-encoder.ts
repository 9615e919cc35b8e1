// Encoding into what TextDecoder decodes: the tables turned round, for texts of tests.

import type { LegacyEncoding } from "../../../../src/media/subtitles/encoding-profiles.ts";

const tables = new Map<LegacyEncoding, ReadonlyMap<string, readonly number[]>>();
const DOUBLE_BYTE: ReadonlySet<LegacyEncoding> = new Set([
  "gb18030",
  "big5",
  "shift_jis",
  "euc-jp",
  "euc-kr",
]);

/** Throws for a character that the encoding has not. */
export function encoded(text: string, encoding: LegacyEncoding): Uint8Array {
  const table = tables.get(encoding) ?? tableOf(encoding);
  tables.set(encoding, table);
  const bytes: number[] = [];
  for (const char of text) {
    const code = char <= "\x7f" ? [char.charCodeAt(0)] : table.get(char);
    if (code === undefined) throw new Error(`${encoding} has no ${char}`);
    bytes.push(...code);
  }
  return new Uint8Array(bytes);
}

function tableOf(encoding: LegacyEncoding): ReadonlyMap<string, readonly number[]> {
  const table = new Map<string, readonly number[]>();
  const decoder = new TextDecoder(encoding);
  const add = (code: readonly number[]) => {
    const char = decoder.decode(new Uint8Array(code));
    if ([...char].length === 1 && char !== "\ufffd" && !table.has(char)) table.set(char, code);
  };
  for (let lead = 0x80; lead <= 0xff; lead++) {
    add([lead]);
    if (!DOUBLE_BYTE.has(encoding)) continue;
    for (let trail = 0x40; trail <= 0xfe; trail++) add([lead, trail]);
  }
  return table;
}
