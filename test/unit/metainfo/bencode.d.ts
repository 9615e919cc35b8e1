declare module "bencode" {
  const reference: { encode(value: unknown): Uint8Array; decode(bytes: Uint8Array): unknown };
  // biome-ignore lint/style/noDefaultExport: that is what the package exports
  export default reference;
}
