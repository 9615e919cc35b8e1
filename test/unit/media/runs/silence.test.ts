import { expect, test } from "bun:test";
import { onlyTrack } from "../../../../src/media/fmp4/init-facts.ts";
import { writeSegment } from "../../../../src/media/fmp4/segment-writer.ts";
import { Boundaries } from "../../../../src/media/runs/boundaries.ts";
import { silentFrame, silentSegment } from "../../../../src/media/runs/silence.ts";
import { runProcess } from "../../../support/process.ts";
import { tmpFolder } from "../../../support/tmp.ts";

test.each([
  [1, 48_000],
  [2, 48_000],
  [2, 44_100],
])(
  "%d channels at %d Hz: a segment of silence decodes to as many samples of nothing",
  async (channels, rate) => {
    const folder = tmpFolder("silence");
    const layout = channels === 1 ? "mono" : "stereo";
    const source = [
      "-f",
      "lavfi",
      "-i",
      `sine=duration=0.1:sample_rate=${rate}`,
      "-af",
      `aformat=channel_layouts=${layout}`,
    ];
    const header = ["-c:a", "aac", "-f", "mp4", "-movflags", "+empty_moov+default_base_moof", "pipe:1"];
    const made = Bun.spawn(["ffmpeg", "-v", "error", "-nostdin", ...source, ...header], { stdout: "pipe" });
    const film = new Uint8Array(await new Response(made.stdout).arrayBuffer());
    const init = film.subarray(0, Buffer.from(film).indexOf("moof") - 4);
    const frame = silentFrame(channels);
    expect(frame).not.toBeNull();
    const boundaries = new Boundaries(
      Float64Array.from([0, (188 * 1024) / rate, (376 * 1024) / rate]),
      rate,
      0.005,
    );
    const { samples, endDts } = silentSegment(boundaries, 1, frame ?? new Uint8Array(0));
    expect([samples.length, samples[0]?.pts, endDts]).toEqual([188, 188 * 1024, 376 * 1024]);
    const segment = writeSegment({ trackId: onlyTrack(init).trackId, sequence: 2, samples, endDts });
    const path = `${folder}/silence.mp4`;
    await Bun.write(path, Buffer.concat([init, segment]));
    const decode = [
      "ffmpeg",
      "-v",
      "error",
      "-nostdin",
      "-i",
      path,
      "-f",
      "s16le",
      "-c:a",
      "pcm_s16le",
      `${folder}/pcm`,
    ];
    const decoded = await runProcess(decode, { withinMs: 20_000 });
    expect([decoded.exitCode, decoded.tail()]).toEqual([0, ""]);
    const pcm = new Uint8Array(await Bun.file(`${folder}/pcm`).arrayBuffer());
    expect(pcm.length).toBeGreaterThanOrEqual(187 * 1024 * channels * 2);
    expect(pcm.every((byte) => byte === 0)).toBe(true);
  },
);
