// Matroska files of nothing but text, built by hand: for what ffmpeg's muxer does not write.

export function element(id: number, ...content: (Uint8Array | number[])[]): Uint8Array {
  const data = Buffer.concat(content.map((part) => Buffer.from(part)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(data.length) | (1n << 56n));
  return new Uint8Array(Buffer.concat([idBytes(id), size, data]));
}

export function uint(id: number, value: number): Uint8Array {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(value);
  return element(id, data);
}

export function text(id: number, value: string): Uint8Array {
  return element(id, Buffer.from(value));
}

function idBytes(id: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(id);
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
}

export interface BuiltBlock {
  readonly track: number;
  readonly atMs: number;
  /** null = a block without a duration. */
  readonly lastsMs: number | null;
  readonly payload: Uint8Array;
  readonly addition?: string;
}

export interface BuiltTrack {
  readonly number: number;
  readonly codecId: string;
  readonly codecPrivate?: string;
  /** Content of ContentEncodings. */
  readonly encodings?: Uint8Array;
}

export interface BuiltFile {
  readonly tracks: readonly BuiltTrack[];
  /** One cluster each; its time is the first block's, or 0. */
  readonly clusters: readonly (readonly BuiltBlock[])[];
  /** What Cues tell of each block: all, without the place in the cluster or the duration, or nothing at all. */
  readonly cues: "full" | "no_places" | "no_durations" | "none";
  readonly hasUnknownSizes?: boolean;
}

/** Cues come before the clusters, so that their size must not depend on what they say: all integers are of 4 bytes. */
export function matroskaFile(file: BuiltFile): Uint8Array {
  const info = element(0x1549a966, uint(0x2ad7b1, 1_000_000));
  const tracks = element(0x1654ae6b, ...file.tracks.map(trackEntry));
  const clusters = file.clusters.map((blocks) => builtCluster(blocks, file.hasUnknownSizes === true));
  const cuesFor = (firstCluster: number) =>
    file.cues === "none" ? new Uint8Array() : element(0x1c53bb6b, ...cuePoints(file, clusters, firstCluster));
  const head = Buffer.concat([info, tracks, cuesFor(0)]);
  const content = [info, tracks, cuesFor(head.length), ...clusters.map(({ bytes }) => bytes)];
  const ebml = element(0x1a45dfa3, text(0x4282, "matroska"));
  return new Uint8Array(Buffer.concat([ebml, element(0x18538067, ...content)]));
}

function trackEntry(track: BuiltTrack): Uint8Array {
  const parts = [uint(0xd7, track.number), uint(0x83, 0x11), text(0x86, track.codecId)];
  if (track.codecPrivate !== undefined) parts.push(text(0x63a2, track.codecPrivate));
  if (track.encodings !== undefined) parts.push(element(0x6d80, track.encodings));
  return element(0xae, ...parts);
}

interface BuiltCluster {
  readonly bytes: Uint8Array;
  readonly blocks: readonly { readonly block: BuiltBlock; readonly relative: number }[];
}

function builtCluster(blocks: readonly BuiltBlock[], hasUnknownSize: boolean): BuiltCluster {
  const timeMs = blocks[0]?.atMs ?? 0;
  const parts = [uint(0xe7, timeMs)];
  const placed = blocks.map((block) => {
    const relative = parts.reduce((sum, part) => sum + part.length, 0);
    parts.push(blockElement(block, timeMs));
    return { block, relative };
  });
  const bytes = element(0x1f43b675, ...parts);
  if (hasUnknownSize) bytes.fill(0xff, 5, 12);
  return { bytes, blocks: placed };
}

function blockElement(block: BuiltBlock, clusterMs: number): Uint8Array {
  const head = Buffer.from([0x80 | block.track, 0, 0, 0]);
  head.writeInt16BE(block.atMs - clusterMs, 1);
  if (block.lastsMs === null) return element(0xa3, head, block.payload);
  const parts = [element(0xa1, head, block.payload), uint(0x9b, block.lastsMs)];
  if (block.addition !== undefined)
    parts.push(element(0x75a1, element(0xa6, uint(0xee, 1), text(0xa5, block.addition))));
  return element(0xa0, ...parts);
}

function cuePoints(file: BuiltFile, clusters: readonly BuiltCluster[], firstCluster: number): Uint8Array[] {
  const points: Uint8Array[] = [];
  let position = firstCluster;
  for (const { bytes, blocks } of clusters) {
    for (const { block, relative } of blocks) {
      const places = [uint(0xf7, block.track), uint(0xf1, position)];
      if (file.cues !== "no_places") places.push(uint(0xf0, relative));
      if (file.cues === "full" && block.lastsMs !== null) places.push(uint(0xb2, block.lastsMs));
      points.push(element(0xbb, uint(0xb3, block.atMs), element(0xb7, ...places)));
    }
    position += bytes.length;
  }
  return points;
}
