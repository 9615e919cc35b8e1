// Content-Disposition of a name that a stranger chose (RFC 6266, RFC 8187): a plain ASCII form for old clients and the
// true one in UTF-8. No sign of the name can end the header or the quotes.

export function contentDisposition(name: string, isInline: boolean): string {
  const type = isInline ? "inline" : "attachment";
  const wellFormed = name.toWellFormed();
  const ascii = wellFormed.replace(/[^\x20-\x7e]|["\\%]/gu, "_");
  return `${type}; filename="${ascii}"; filename*=UTF-8''${percentEncoded(wellFormed)}`;
}

/** attr-char of RFC 8187 is narrower than what encodeURIComponent leaves alone. */
function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
