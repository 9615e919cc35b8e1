/** Copies text; false where the page may not (plain http on a LAN is no secure context). */
export async function tryCopy(text: string): Promise<boolean> {
  if (!window.isSecureContext || navigator.clipboard === undefined) return false;
  return await navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}
