/** Bytes [start, end) of something. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}
