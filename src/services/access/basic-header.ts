// Authorization: Basic (RFC 7617), with UTF-8 as the realm announces it.

export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

const HEADER = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i;
const HEADER_CHARS = 2_048;

export function tryBasicHeader(header: string): BasicCredentials | null {
  if (header.length > HEADER_CHARS) return null;
  const encoded = HEADER.exec(header)?.[1];
  if (encoded === undefined) return null;
  const text = tryUtf8(Buffer.from(encoded, "base64"));
  const colon = text?.indexOf(":") ?? -1;
  if (text === null || colon < 0) return null;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function tryUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
