// Filter graphs of encodes. They are built of constants and checked numbers alone.

import type { VideoTrack } from "../ports.ts";
import { number } from "./argument.ts";
import type { EncodeAudio, EncodeVideo, FfmpegTools } from "./run-job.ts";

/** A broken aspect ratio does not make a picture wider than H.264 has levels for. */
const WIDTH_MAX = 4096;

/** Transfer function of the source, as zscale names it. */
type HdrTransfer = "smpte2084" | "arib-std-b67";

/**
 * From any decoded picture to 8-bit 4:2:0 with square pixels, not higher than the limit. `fromSec` drops what is
 * decoded before a run's start.
 */
export function videoFilters(work: EncodeVideo, tools: FfmpegTools, fromSec: number | null): string[] {
  const { making, track } = work;
  return [
    ...(fromSec === null ? [] : [`trim=start=${number(fromSec)}`]),
    ...(making.deinterlace ? ["yadif=mode=send_frame:parity=auto:deint=interlaced"] : []),
    scale(making.heightLimit),
    "setsar=1",
    ...(making.toneMap ? toneMap(transferOf(track), tools.hasZscale) : []),
  ];
}

/** Even sizes; the width follows the shape that is shown, so that pixels become square. */
function scale(heightLimit: number | null): string {
  const height = heightLimit === null ? "ih" : `min(ih,${number(heightLimit)})`;
  return `scale=w='2*round(min(oh*dar,${WIDTH_MAX})/2)':h='2*trunc(${height}/2)'`;
}

function transferOf(track: VideoTrack): HdrTransfer {
  const range = track.dynamicRange === "dolby_vision" ? track.dolbyVision?.base : track.dynamicRange;
  return range === "hlg" ? "arib-std-b67" : "smpte2084";
}

function toneMap(transfer: HdrTransfer, hasZscale: boolean): string[] {
  if (!hasZscale) return transfer === "smpte2084" ? [ROUGH_TONE_MAP] : [];
  const source = `transferin=${transfer}:primariesin=2020:matrixin=2020_ncl:rangein=limited`;
  return [
    `zscale=${source}:transfer=linear:npl=100`,
    "format=gbrpf32le",
    "zscale=primaries=709",
    "tonemap=tonemap=hable:desat=0",
    "zscale=transfer=709:matrix=709:range=limited",
  ];
}

/**
 * For an ffmpeg without zscale: luma alone goes through the curve, from PQ (SMPTE ST 2084) to light, compressed so that
 * 1,000 cd/m² are white (203 is what ITU-R BT.2408 calls diffuse white), to gamma 2.4; colours are made stronger by
 * a fixed share. Hues stay those of BT.2020, somewhat off. HLG needs nothing: it is made to be shown as it is.
 */
const ROUGH_TONE_MAP = (() => {
  const root = "pow((clip(val,64,940)-64)/876,1/78.84375)";
  const light = `10000/203*pow(max(${root}-0.8359375,0)/(18.8515625-18.6875*${root}),1/0.1593017578125)`;
  const shown = `st(0,${light});pow(min(1,ld(0)*(1+ld(0)/24.3)/(1+ld(0))),1/2.4)`;
  const colour = "512+1.8*(val-512)";
  return `format=yuv420p10le,lutyuv=y='${shown.replace(";", ";64+876*")}':u='${colour}':v='${colour}'`;
})();

/**
 * From any sound to the grid: the sample rate kept in step with the container's times, holes filled with silence,
 * beginning at exactly `firstSample`. More than two channels are mixed for speech: the centre as loud as the fronts,
 * the surrounds half of it, no bass channel, all of it lowered to where sums rarely clip.
 */
export function audioFilter(work: EncodeAudio, sampleRate: number, firstSample: number): string {
  const grid = `aresample=${number(sampleRate)}:async=1:min_hard_comp=0.1:first_pts=${number(firstSample)}`;
  if (work.track.channels <= 2) return grid;
  return `${grid}:center_mix_level=1:surround_mix_level=0.5:lfe_mix_level=0:rematrix_maxval=1.414`;
}
