// What an encode makes of pictures that a browser would show wrong: HDR, interlaced, not square, turned.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { VideoTrack } from "../../src/media/ports.ts";
import type { RunWork } from "../../src/media/runs/run-job.ts";
import { copyOf, countOf, fetchAll, OpenFilms, range, WITHIN_MS, within } from "../support/continuity.ts";
import { ffmpeg } from "../support/media-files.ts";
import { describeIsolated } from "../support/namespace.ts";
import { runProcess } from "../support/process.ts";
import { type FilmRig, PLAIN_VIDEO, TEST_TOOLS } from "../support/rendition-rig.ts";
import { complaintsOf, joined, streamFacts } from "../support/segment-facts.ts";
import { tmpFolder } from "../support/tmp.ts";

const films = new OpenFilms();
let folder = "";

beforeAll(() => {
  folder = tmpFolder("pictures");
});

afterAll(() => films.close());

interface Making {
  readonly heightLimit?: number | null;
  readonly toneMap?: boolean;
  readonly deinterlace?: boolean;
}

function encode(track: Partial<VideoTrack>, making: Making): RunWork {
  return {
    kind: "encode_video",
    track: { ...PLAIN_VIDEO, framesPerSec: 24, ...track },
    making: { kind: "encode_video", heightLimit: null, toneMap: false, deinterlace: false, ...making },
    encoder: { kind: "x264" },
  };
}

/** All of a film in one form, as a file. */
async function made(rig: FilmRig, work: RunWork, hasZscale = true): Promise<string> {
  const plan = rig.videoPlan();
  const id = `film/${work.kind}-${hasZscale}`;
  const rendition = rig.rendition(work, plan, {
    id,
    job: { work, plan, tools: { ...TEST_TOOLS, hasZscale } },
  });
  const segments = await fetchAll(rendition, range(countOf(plan)));
  const path = joined(folder, `${crypto.randomUUID()}.mp4`, [await rendition.init(within()), ...segments]);
  expect(await complaintsOf(path)).toBe("");
  return path;
}

/** Mean luma and mean saturation of the first picture, in 8 bits. */
async function look(path: string): Promise<{ luma: number; saturation: number }> {
  const filter = "format=yuv444p,signalstats,metadata=print:file=-";
  const words = ["-v", "error", "-nostdin", "-i", path, "-vf", filter, "-frames:v", "1", "-f", "null", "-"];
  const child = await runProcess(["ffmpeg", ...words], { withinMs: 20_000 });
  const value = (name: string) => Number(new RegExp(`signalstats.${name}=([0-9.]+)`).exec(child.stdout)?.[1]);
  return { luma: value("YAVG"), saturation: value("SATAVG") };
}

const PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=24:duration=2"];
const X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "24", "-pix_fmt", "yuv420p"];

describeIsolated("an encode", () => {
  test(
    "of HDR is SDR with light and colour, with and without zscale",
    async () => {
      const toPq =
        "format=gbrp,zscale=transferin=709:primariesin=709:rangein=full:transfer=linear:primaries=709:npl=203," +
        "format=gbrpf32le,zscale=primaries=2020,zscale=transfer=smpte2084:matrix=2020_ncl:range=limited:npl=203,format=yuv420p10le";
      const tags = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"];
      const params =
        "log-level=none:keyint=24:open-gop=0:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc";
      const path = join(folder, "hdr.mkv");
      await ffmpeg([
        ...PICTURE,
        ...["-vf", toPq, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", params, ...tags, path],
      ]);
      const plain = join(folder, "sdr.mkv");
      await ffmpeg([...PICTURE, ...X264, plain]);
      const rig = await films.open(path);
      const work = encode({ codec: "hevc", bitDepth: 10, dynamicRange: "hdr10" }, { toneMap: true });
      const [wanted, untouched] = [await look(plain), await look(path)];
      for (const hasZscale of [true, false]) {
        const file = await made(rig, work, hasZscale);
        const facts = await streamFacts(file);
        expect([
          facts["pix_fmt"],
          facts["color_transfer"],
          facts["color_primaries"],
          facts["color_space"],
        ]).toEqual(["yuv420p", "bt709", "bt709", "bt709"]);
        const { luma, saturation } = await look(file);
        expect(Math.abs(luma - wanted.luma)).toBeLessThan(40);
        expect(saturation).toBeGreaterThan(untouched.saturation * 1.4);
      }
    },
    WITHIN_MS,
  );

  test(
    "of pictures with long pixels has square ones, in the same shape",
    async () => {
      const path = join(folder, "anamorphic.mkv");
      await ffmpeg([...PICTURE, "-vf", "scale=240:180,setsar=4/3", ...X264, path]);
      const rig = await films.open(path);
      const facts = await streamFacts(await made(rig, encode({ width: 240 }, { heightLimit: 90 })));
      expect([facts["width"], facts["height"], facts["sample_aspect_ratio"]]).toEqual([160, 90, "1:1"]);
    },
    WITHIN_MS,
  );

  test(
    "of a picture that is to be turned has it turned; a copy says how",
    async () => {
      const [flat, path] = [join(folder, "flat.mp4"), join(folder, "turned.mp4")];
      await ffmpeg([...PICTURE, ...X264, flat]);
      await ffmpeg(["-i", flat, "-c", "copy", "-metadata:s:v", "rotate=90", path]);
      const rig = await films.open(path);
      const facts = await streamFacts(await made(rig, encode({ rotationDegrees: 90 }, { heightLimit: 160 })));
      expect([facts["width"], facts["height"], facts["side_data_list"]]).toEqual([90, 160, undefined]);
      const copied = await streamFacts(await made(rig, copyOf({ name: "" })));
      expect(copied["side_data_list"]).toEqual((await streamFacts(path))["side_data_list"]);
      expect(copied["side_data_list"]).toMatchObject([{ side_data_type: "Display Matrix" }]);
    },
    WITHIN_MS,
  );

  test(
    "of interlaced pictures has whole ones, as many as there were",
    async () => {
      const path = join(folder, "interlaced.mkv");
      const fields = ["-vf", "interlace", "-flags", "+ildct+ilme", "-x264-params", "tff=1"];
      await ffmpeg([
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x180:rate=48:duration=2",
        ...fields,
        ...X264,
        path,
      ]);
      const rig = await films.open(path);
      expect((await streamFacts(path))["field_order"]).not.toBe("progressive");
      const file = await made(rig, encode({ isInterlaced: true }, { deinterlace: true }));
      const facts = await streamFacts(file);
      expect(facts["field_order"]).toBe("progressive");
      expect(Number(facts["nb_frames"] ?? 0) || (await countOfFrames(file))).toBe(48);
    },
    WITHIN_MS,
  );
});

async function countOfFrames(path: string): Promise<number> {
  const words = [
    "-v",
    "error",
    "-count_packets",
    "-show_entries",
    "stream=nb_read_packets",
    "-of",
    "csv=p=0",
    path,
  ];
  return Number((await runProcess(["ffprobe", ...words], { withinMs: 20_000 })).stdout.trim());
}
