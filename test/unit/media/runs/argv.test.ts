import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { AudioTrack, SegmentPlan, VideoEncoder, VideoTrack } from "../../../../src/media/ports.ts";
import { endOfRun, runArgv } from "../../../../src/media/runs/argv.ts";
import type { RunJob, RunStart, RunWork } from "../../../../src/media/runs/run-job.ts";
import { PLAIN_AUDIO, PLAIN_VIDEO } from "../../../support/rendition-rig.ts";

const URL = "http://127.0.0.1:8080/internal/film?token=abc-DEF_1.2";
const TOOLS = { threads: 2, hasZscale: true };

const VIDEO_PLAN: SegmentPlan = {
  boundariesSec: Float64Array.from([0, 4.004, 8.3, 21.1, 25]),
  keyframes: {
    timesSec: Float64Array.from([0.021, 4.004, 8.3, 21.1]),
    positionsBytes: Float64Array.from([700, 40_000, 80_000, 90_000]),
  },
  nextKeyframesSec: Float64Array.from([1, 4.1, 8.5, Number.POSITIVE_INFINITY]),
  sampleRate: null,
};
const AUDIO_PLAN: SegmentPlan = {
  boundariesSec: Float64Array.from([0, 1, 2, 3].map((n) => (n * 188 * 1024) / 48_000)),
  keyframes: null,
  sampleRate: 48_000,
};

const copyVideo = (isHevc = false): RunWork => ({
  kind: "copy_video",
  track: PLAIN_VIDEO,
  making: { kind: "copy_video", isHevc },
});

interface EncodeGiven {
  encoder?: VideoEncoder;
  track?: Partial<VideoTrack>;
  heightLimit?: number | null;
  toneMap?: boolean;
  deinterlace?: boolean;
}

function encodeVideo(given: EncodeGiven = {}): RunWork {
  const { encoder = { kind: "x264" }, heightLimit = 720, toneMap = false, deinterlace = false } = given;
  const track = { ...PLAIN_VIDEO, height: 1080, width: 1920, framesPerSec: 25, ...given.track };
  return {
    kind: "encode_video",
    track,
    making: { kind: "encode_video", heightLimit, toneMap, deinterlace },
    encoder,
  };
}

const encodeAudio = (track: Partial<AudioTrack> = {}, channels = 2): RunWork => ({
  kind: "encode_audio",
  track: { ...PLAIN_AUDIO, ...track },
  making: { kind: "encode_audio", channels },
});
const copyAudio: RunWork = { kind: "copy_audio", track: PLAIN_AUDIO, making: { kind: "copy_audio" } };

function argv(
  work: RunWork,
  segment: number,
  more: Partial<RunJob & RunStart & { url: string }> = {},
): string {
  const isSound = work.kind === "copy_audio" || work.kind === "encode_audio";
  const job = { work, plan: more.plan ?? (isSound ? AUDIO_PLAN : VIDEO_PLAN), tools: more.tools ?? TOOLS };
  return runArgv(job, { segment, stepsBack: more.stepsBack ?? 0 }, more.url ?? URL).join(" ");
}

const HEAD = "-nostdin -hide_banner -loglevel error";
const INPUT =
  "-protocol_whitelist http,tcp -format_whitelist mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf " +
  "-seekable 1 -rw_timeout 300000000 -reconnect 1 -reconnect_on_network_error 1 -reconnect_on_http_error 503 -reconnect_delay_max 4";
const SEEK = "-noaccurate_seek -seek_timestamp 1 -ss";
const TIMES = "-copyts -avoid_negative_ts disabled";
const TAIL =
  "-f mp4 -use_editlist 0 -movflags +empty_moov+default_base_moof+frag_every_frame+frag_discont+skip_sidx+negative_cts_offsets pipe:1";
const FORCED_FROM_1 = "4.000000,8.296000,11.496000,14.696000,17.896000,21.096000";

describe("the arguments of a copy", () => {
  test("of the first segment read from the film's start", () => {
    expect(argv(copyVideo(), 0)).toBe(
      `${HEAD} -threads 1 ${INPUT} -i ${URL} -map 0:0 ${TIMES} -copypriorss 1 -c:v copy ${TAIL}`,
    );
  });

  test("of a later one seek to just behind its key frame, and stay short of the next", () => {
    expect(argv(copyVideo(), 3)).toContain(`${SEEK} 21.250000 -i`);
    expect(argv(copyVideo(), 2)).toContain(`${SEEK} 8.400000 -i`);
    expect(argv(copyVideo(), 1)).toContain(`${SEEK} 4.052000 -i`);
  });

  test("that landed badly once begins before its key frame", () => {
    expect(argv(copyVideo(), 2, { stepsBack: 1 })).toContain(`${SEEK} 7.800000 -i`);
    expect(argv(copyVideo(), 1, { stepsBack: 2 })).not.toContain("-ss");
  });

  test("of HEVC are tagged as Apple's players want it", () => {
    expect(argv(copyVideo(true), 0)).toContain("-c:v copy -tag:v hvc1 -f mp4");
  });

  test("of sound begin a little before the segment", () => {
    expect(argv(copyAudio, 0)).toBe(
      `${HEAD} -threads 1 ${INPUT} -i ${URL} -map 0:1 ${TIMES} -copypriorss 1 -c:a copy ${TAIL}`,
    );
    expect(argv(copyAudio, 2)).toContain(`${SEEK} 7.721333 -i`);
  });
});

describe("the arguments of an encode of sound", () => {
  test("begin 24 frames before the segment on the grid", () => {
    const firstSample = 2 * 188 * 1024 - 24 * 1024;
    expect(argv(encodeAudio(), 2)).toBe(
      `${HEAD} -threads 1 ${INPUT} ${SEEK} ${(firstSample / 48_000 - 0.7).toFixed(6)} -i ${URL} -map 0:1 ${TIMES} ` +
        `-af aresample=48000:async=1:min_hard_comp=0.1:first_pts=${firstSample} -c:a aac -ac 2 -ar 48000 -b:a 160k ` +
        `-threads 1 ${TAIL}`,
    );
    expect(argv(encodeAudio(), 0)).toContain("first_pts=0 -c:a");
    expect(argv(encodeAudio(), 0)).not.toContain("-ss");
  });

  test("keep 44.1 kHz, and bring every other rate to 48", () => {
    const plan = { ...AUDIO_PLAN, sampleRate: 44_100 };
    expect(argv(encodeAudio({ sampleRate: 44_100 }), 0, { plan })).toContain("aresample=44100:");
    expect(argv(encodeAudio({ sampleRate: 44_100 }), 0, { plan })).toContain("-ar 44100");
    expect(argv(encodeAudio({ sampleRate: 96_000 }), 0)).toContain("aresample=48000:");
  });

  test("mix more than two channels for speech, and leave two alone", () => {
    const mix = ":center_mix_level=1:surround_mix_level=0.5:lfe_mix_level=0:rematrix_maxval=1.414";
    expect(argv(encodeAudio({ channels: 6 }), 0)).toContain(`first_pts=0${mix} -c:a`);
    expect(argv(encodeAudio({ channels: 2 }), 0)).not.toContain("mix_level");
    expect(argv(encodeAudio({ channels: 1 }, 1), 0)).toContain("-ac 1 -ar 48000 -b:a 96k");
  });
});

describe("the arguments of an encode of pictures", () => {
  test("by x264", () => {
    expect(argv(encodeVideo(), 1)).toBe(
      `${HEAD} -threads 2 ${INPUT} ${SEEK} 4.052000 -i ${URL} -map 0:0 ${TIMES} ` +
        "-vf trim=start=4.000000,scale=w='2*round(min(oh*dar,4096)/2)':h='2*trunc(min(ih,720)/2)',setsar=1,format=yuv420p " +
        `-fps_mode passthrough -enc_time_base 1:90000 -force_key_frames ${FORCED_FROM_1} ` +
        "-c:v libx264 -preset veryfast -crf 23 -maxrate 4000000 -bufsize 8000000 -profile:v high " +
        "-sc_threshold 0 -forced-idr 1 -g 10000 -keyint_min 1 -x264-params rc-lookahead=10 " +
        `-threads 2 ${TAIL}`,
    );
  });

  test("by VAAPI", () => {
    const work = encodeVideo({ encoder: { kind: "vaapi", device: "/dev/dri/renderD128" } });
    const text = argv(work, 1);
    expect(text).toStartWith(
      `${HEAD} -init_hw_device vaapi=va:/dev/dri/renderD128 -filter_hw_device va -threads 2 -protocol_whitelist`,
    );
    expect(text).toContain("setsar=1,format=nv12,hwupload -fps_mode");
    expect(text).toContain(
      "-c:v h264_vaapi -rc_mode VBR -b:v 2800000 -maxrate 4000000 -bufsize 8000000 -profile:v high -g 50 -threads 2",
    );
  });

  test("by NVENC", () => {
    const text = argv(encodeVideo({ encoder: { kind: "nvenc" } }), 1);
    expect(text).toContain("setsar=1,format=yuv420p -fps_mode");
    expect(text).toContain(
      "-c:v h264_nvenc -preset p4 -rc vbr -cq 23 -b:v 2800000 -maxrate 4000000 -bufsize 8000000 " +
        "-profile:v high -no-scenecut 1 -forced-idr 1 -g 50 -threads 2",
    );
  });

  test("by Quick Sync", () => {
    const text = argv(encodeVideo({ encoder: { kind: "qsv", device: "/dev/dri/renderD129" } }), 1);
    expect(text).toStartWith(
      `${HEAD} -init_hw_device vaapi=va:/dev/dri/renderD129 -init_hw_device qsv=qs@va -filter_hw_device qs -threads 2`,
    );
    expect(text).toContain("setsar=1,format=nv12,hwupload=extra_hw_frames=64 -fps_mode");
    expect(text).toContain(
      "-c:v h264_qsv -preset veryfast -b:v 2800000 -maxrate 4000000 -bufsize 8000000 -profile:v high " +
        "-forced_idr 1 -adaptive_i 0 -bf 0 -g 50 -threads 2",
    );
  });

  test("force key frames at all boundaries, and inside a segment of 13 s three times", () => {
    expect(argv(encodeVideo(), 0)).toContain(`-force_key_frames 0,${FORCED_FROM_1} `);
    expect(argv(encodeVideo(), 3)).toContain("-force_key_frames 21.096000 ");
  });

  test("deinterlace, tone map and limit the bits as the making says", () => {
    const filters = /-vf (\S+)/;
    const hdr = encodeVideo({
      toneMap: true,
      deinterlace: true,
      track: { dynamicRange: "hdr10" },
      heightLimit: 480,
    });
    expect(filters.exec(argv(hdr, 0))?.[1]).toBe(
      "yadif=mode=send_frame:parity=auto:deint=interlaced," +
        "scale=w='2*round(min(oh*dar,4096)/2)':h='2*trunc(min(ih,480)/2)',setsar=1," +
        "zscale=transferin=smpte2084:primariesin=2020:matrixin=2020_ncl:rangein=limited:transfer=linear:npl=100," +
        "format=gbrpf32le,zscale=primaries=709,tonemap=tonemap=hable:desat=0," +
        "zscale=transfer=709:matrix=709:range=limited,format=yuv420p",
    );
    expect(argv(hdr, 0)).toContain("-maxrate 2000000");
    expect(argv(hdr, 0)).toContain("-color_trc bt709");
    const hlg = encodeVideo({ toneMap: true, track: { dynamicRange: "hlg" } });
    expect(argv(hlg, 0)).toContain("transferin=arib-std-b67:");
    expect(argv(encodeVideo({ heightLimit: null }), 0)).toContain("h='2*trunc(ih/2)'");
    expect(argv(encodeVideo({ heightLimit: null }), 0)).toContain("-maxrate 8000000");
  });

  test("have a rougher tone map where zscale is missing, and none for HLG", () => {
    const tools = { ...TOOLS, hasZscale: false };
    const pq = encodeVideo({ toneMap: true, track: { dynamicRange: "hdr10" } });
    expect(argv(pq, 0, { tools })).toContain("format=yuv420p10le,lutyuv=y='");
    const hlg = encodeVideo({ toneMap: true, track: { dynamicRange: "hlg" } });
    expect(argv(hlg, 0, { tools })).not.toMatch(/zscale|lutyuv/);
  });

  test("without an index seek to the boundary itself", () => {
    const plan = { boundariesSec: VIDEO_PLAN.boundariesSec, keyframes: null, sampleRate: null };
    expect(argv(encodeVideo(), 2, { plan })).toContain(`${SEEK} 8.300000 -i`);
    expect(argv(encodeVideo(), 2, { plan, stepsBack: 1 })).not.toContain("-ss");
  });

  test("of a film whose clock does not begin at 0 seek by that clock, and are on the film's own from there", () => {
    const plan = {
      boundariesSec: VIDEO_PLAN.boundariesSec,
      keyframes: null,
      sampleRate: null,
      startSec: 3600,
    };
    expect(argv(encodeVideo(), 2, { plan })).toContain(`${SEEK} 3608.300000 -itsoffset -3599.999999 -i`);
    expect(argv(encodeVideo(), 0, { plan })).toContain("-itsoffset -3599.999999 -i");
    expect(argv(encodeVideo(), 0, { plan })).not.toContain("-ss");
    expect(argv(encodeVideo(), 2, { plan })).toContain("trim=start=8.296");
  });

  test("never grow beyond what one argument may be, and the run ends where its list does", () => {
    const boundariesSec = Float64Array.from({ length: 60_001 }, (_, n) => n * 5);
    const plan = { boundariesSec, keyframes: null, sampleRate: null };
    const job = { work: encodeVideo(), plan, tools: TOOLS };
    const start = { segment: 30_000, stepsBack: 0 };
    const words = runArgv(job, start, URL);
    expect(Math.max(...words.map((word) => word.length))).toBeLessThan(128 * 1024);
    expect(endOfRun(job, start)).toBe(36_000);
    expect(endOfRun(job, { segment: 59_000, stepsBack: 0 })).toBe(60_000);
    expect(endOfRun({ ...job, work: copyVideo() }, start)).toBe(60_000);
  });
});

describe("nothing from outside becomes an option", () => {
  const NUMBER = /^-?\d+(\.\d{6})?$/;
  const WORDS: readonly RegExp[] = [
    /^-[a-z_:0-9A-Z-]+$/,
    NUMBER,
    /^\d+k$/,
    /^0:\d+$/,
    /^1:90000$/,
    /^[\w,]+$/,
    /^(\d+(\.\d{6})?,)*\d+(\.\d{6})?$/,
    /^(vaapi=va:\/dev\/dri\/renderD\d+|qsv=qs@va)$/,
    /^rc-lookahead=10$/,
    /^\+[a-z_+]+$/,
    /^pipe:1$/,
    /^http:\/\/127\.0\.0\.1:8080\/internal\/film\?token=abc-DEF_1\.2$/,
    /^aresample=\d+:async=1:min_hard_comp=0\.1:first_pts=\d+(:[a-z_]+=[\d.]+){0,4}$/,
    // A filter graph: names, constants, and plain numbers alone.
    /^[a-z0-9_=.,:'*+;()/-]+$/,
  ];
  const KNOWN_OPTIONS =
    /^-(nostdin|hide_banner|loglevel|init_hw_device|filter_hw_device|threads|protocol_whitelist|format_whitelist|seekable|rw_timeout|reconnect|reconnect_on_network_error|reconnect_on_http_error|reconnect_delay_max|noaccurate_seek|seek_timestamp|ss|itsoffset|i|map|copyts|avoid_negative_ts|copypriorss|c:[va]|tag:v|vf|af|fps_mode|enc_time_base|force_key_frames|preset|crf|maxrate|bufsize|profile:v|sc_threshold|forced-idr|forced_idr|g|keyint_min|x264-params|rc|cq|b:[va]|no-scenecut|rc_mode|adaptive_i|bf|colorspace|color_primaries|color_trc|color_range|ac|ar|f|use_editlist|movflags)$/;

  const anyNumber = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.nat(10_000),
    fc.double({ min: 0, max: 1e6, noNaN: true }),
  );
  const hostile = fc.oneof(
    fc.string(),
    fc.constantFrom("-i /etc/passwd", "a,movie=/etc/passwd", "'; -y x", "\0"),
  );
  const track = fc.record({
    stream: anyNumber,
    framesPerSec: fc.oneof(anyNumber, fc.constant(null)),
    height: anyNumber,
    codec: hostile,
    title: hostile,
    language: hostile,
    channels: anyNumber,
    sampleRate: anyNumber,
    profile: hostile,
    dynamicRange: fc.constantFrom("sdr", "hdr10", "hlg", "dolby_vision"),
  });
  const encoder = fc.oneof(
    fc.constantFrom({ kind: "x264" }, { kind: "nvenc" }),
    fc.record({
      kind: fc.constantFrom("vaapi", "qsv"),
      device: fc.oneof(hostile, fc.constant("/dev/dri/renderD128")),
    }),
  );
  const making = fc.record({
    heightLimit: fc.oneof(anyNumber, fc.constant(null)),
    toneMap: fc.boolean(),
    deinterlace: fc.boolean(),
    isHevc: fc.boolean(),
    channels: anyNumber,
  });
  const given = fc.record({
    kind: fc.constantFrom("copy_video", "encode_video", "copy_audio", "encode_audio"),
    track,
    encoder,
    making,
    boundaries: fc.array(anyNumber, { minLength: 2, maxLength: 8 }),
    sampleRate: fc.oneof(anyNumber, fc.constant(null)),
    hasKeyframes: fc.boolean(),
    segment: fc.nat(8),
    stepsBack: fc.nat(3),
    threads: anyNumber,
    hasZscale: fc.boolean(),
  });

  test("whatever the film says, each argument is one that we know, or it is refused", () => {
    let made = 0;
    fc.assert(
      fc.property(given, (one) => {
        const boundariesSec = Float64Array.from(one.boundaries);
        const keyframes = one.hasKeyframes
          ? { timesSec: boundariesSec, positionsBytes: boundariesSec }
          : null;
        const work = { kind: one.kind, track: one.track, making: one.making, encoder: one.encoder };
        const job = {
          work,
          plan: { boundariesSec, keyframes, sampleRate: one.sampleRate },
          tools: { threads: one.threads, hasZscale: one.hasZscale },
        } as unknown as RunJob;
        let words: readonly string[];
        try {
          words = runArgv(job, { segment: one.segment, stepsBack: one.stepsBack }, URL);
        } catch (error) {
          expect(error).toMatchObject({ code: "internal" });
          return;
        }
        made++;
        for (const [i, word] of words.entries()) {
          expect(WORDS.some((form) => form.test(word)) ? "" : word).toBe("");
          if (word.startsWith("-") && !NUMBER.test(word)) expect(word).toMatch(KNOWN_OPTIONS);
          if (word === "-i") expect(words[i + 1]).toBe(URL);
        }
        expect(words.filter((word) => word === "-i")).toHaveLength(1);
        expect(words.filter((word) => word.includes("://"))).toEqual([URL]);
        expect(words.join(" ")).not.toMatch(/movie=|\/etc|amovie|lavfi|\bfile:/);
        expect(words.at(-1)).toBe("pipe:1");
      }),
      { numRuns: 3000, includeErrorInReport: true },
    );
    expect(made).toBeGreaterThan(200);
  });

  test("an input that is not ours on loopback is refused", () => {
    const refused = [
      "http://192.168.1.1:80/x",
      "http://127.0.0.1.evil.example:80/x",
      "http://127.0.0.1/x",
      "http://127.0.0.1:80@evil.example/x",
      "file:///etc/passwd",
      "concat:/etc/passwd",
      "http://127.0.0.1:80/x y",
      "http://127.0.0.1:80/x\n-f",
      "-i",
    ];
    for (const url of refused) expect(() => argv(copyVideo(), 0, { url })).toThrow("no argument may carry");
    expect(argv(copyVideo(), 0, { url: "http://[::1]:80/x" })).toContain("-i http://[::1]:80/x");
  });
});
