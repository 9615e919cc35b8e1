// What every ffmpeg and ffprobe gets before its input (PRODUCT §8): with these lists a playlist, a concat script or a
// reference file that calls itself .mkv opens no other file and no other URL. Both lists are needed, and both must
// stand before -i.

const PROTOCOLS = "http,tcp";
const FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf";

export const INPUT_OPTIONS: readonly string[] = [
  "-protocol_whitelist",
  PROTOCOLS,
  "-format_whitelist",
  FORMATS,
];
