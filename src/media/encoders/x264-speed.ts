// How fast libx264 is here: one second of grainy 720p. ffmpeg tells the processor time that it took, which does not
// depend on what else the machine is doing.

const WIDTH = 1280;
const HEIGHT = 720;
const FRAMES = 24;

/** Grain makes it as hard as a film; without, it would be four times as easy. */
const PICTURE = `testsrc2=size=${WIDTH}x${HEIGHT}:rate=24,noise=alls=8:allf=t`;

export const X264_SPEED_ARGV: readonly string[] = [
  ...["-nostdin", "-hide_banner", "-loglevel", "info", "-nostats", "-benchmark"],
  ...["-f", "lavfi", "-i", PICTURE, "-frames:v", String(FRAMES)],
  ...["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p", "-f", "null", "-"],
];

/** Of what ffmpeg says at its end; null where it does not tell. */
export function pixelsPerCoreSec(stderr: string): number | null {
  const [, user, system] = /\bbench: utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
  const coreSec = Number(user) + Number(system);
  return coreSec > 0 ? (WIDTH * HEIGHT * FRAMES) / coreSec : null;
}
