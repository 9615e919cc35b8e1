import { describe, expect, test } from "bun:test";
import { type ListedFile, sidecarsOf } from "../../../../src/media/subtitles/sidecar.ts";

const MIB = 1024 * 1024;

/** Files with the sizes that their kind usually has. */
function listed(...paths: string[]): ListedFile[] {
  return paths.map((path, index) => ({
    index,
    path,
    lengthBytes: /\.(mkv|mp4|avi)$/.test(path) ? (/sample|trailer/i.test(path) ? 20 : 2_000) * MIB : 80_000,
  }));
}

const pathsOf = (files: ListedFile[], video: string) =>
  sidecarsOf(files, video).map((sidecar) => sidecar.path);

/** Of one subtitle file beside or around a film: language, title, flags. */
function facts(path: string, video = "Film (2020)/Film.2020.1080p.mkv") {
  const [sidecar] = sidecarsOf(listed(video, path), video);
  if (sidecar === undefined) return null;
  const flags = [sidecar.isForced ? "forced" : "", sidecar.isSdh ? "sdh" : ""].filter((flag) => flag !== "");
  return [sidecar.language, sidecar.title, ...flags];
}

describe("sidecar subtitles", () => {
  test("a file called like the film belongs to it, and to no other film", () => {
    const files = listed(
      "S/A.S01E01.mkv",
      "S/A.S01E02.mkv",
      "S/A.S01E01.srt",
      "S/A.S01E02.en.srt",
      "S/A.S01E02.ru.ass",
    );
    expect(pathsOf(files, "S/A.S01E01.mkv")).toEqual(["S/A.S01E01.srt"]);
    expect(pathsOf(files, "S/A.S01E02.mkv")).toEqual(["S/A.S01E02.en.srt", "S/A.S01E02.ru.ass"]);
  });

  test("a film whose name begins another's does not take the other's subtitles", () => {
    const files = listed("Film.mkv", "Film.2.mkv", "Film.srt", "Film.2.srt", "Film.en.srt", "Film.2.en.srt");
    expect(pathsOf(files, "Film.mkv")).toEqual(["Film.en.srt", "Film.srt"]);
    expect(pathsOf(files, "Film.2.mkv")).toEqual(["Film.2.en.srt", "Film.2.srt"]);
  });

  test("a name is compared word by word: dots, spaces and case do not matter, a longer word does", () => {
    const files = listed(
      "a/The Film 2020.mkv",
      "a/Other.mkv",
      "a/the.film.2020.en.srt",
      "a/The Film 20201.srt",
    );
    expect(pathsOf(files, "a/The Film 2020.mkv")).toEqual(["a/the.film.2020.en.srt"]);
  });

  test("beside the only film everything belongs to it, samples notwithstanding", () => {
    const files = listed(
      "F/film.mkv",
      "F/Sample/film-sample.mkv",
      "F/Subs/2_English.srt",
      "F/Russian.srt",
      "F/readme.txt",
    );
    expect(pathsOf(files, "F/film.mkv")).toEqual(["F/Russian.srt", "F/Subs/2_English.srt"]);
  });

  test("a folder of subtitles per episode, named like the episode", () => {
    const files = listed(
      "Show/Show.S01E01.mp4",
      "Show/Show.S01E02.mp4",
      "Show/Subs/Show.S01E01/2_English.srt",
      "Show/Subs/Show.S01E02/2_English.srt",
      "Show/Subs/Show.S01E02/3_French.srt",
    );
    expect(pathsOf(files, "Show/Show.S01E01.mp4")).toEqual(["Show/Subs/Show.S01E01/2_English.srt"]);
    expect(pathsOf(files, "Show/Show.S01E02.mp4")).toHaveLength(2);
  });

  test("episodes are told by their numbers where the names differ", () => {
    const files = listed(
      "Show/Show - 01 [1080p].mkv",
      "Show/Show - 02 [1080p].mkv",
      "Show/Rus Subs/[Group] Show - 01.ass",
      "Show/Rus Subs/[Group] Show - 02.ass",
    );
    expect(pathsOf(files, "Show/Show - 02 [1080p].mkv")).toEqual(["Show/Rus Subs/[Group] Show - 02.ass"]);
    const other = listed("s/Show.S01E01.WEB.mkv", "s/Show.S01E02.WEB.mkv", "s/show 1x02 title.srt");
    expect(pathsOf(other, "s/Show.S01E02.WEB.mkv")).toEqual(["s/show 1x02 title.srt"]);
    expect(pathsOf(other, "s/Show.S01E01.WEB.mkv")).toEqual([]);
  });

  test("two films of one name in two folders each have what lies by them", () => {
    const files = listed("CD1/film.avi", "CD2/film.avi", "CD1/film.srt", "CD2/film.srt");
    expect(pathsOf(files, "CD1/film.avi")).toEqual(["CD1/film.srt"]);
    expect(pathsOf(files, "CD2/film.avi")).toEqual(["CD2/film.srt"]);
  });

  test("films in folders of their own keep their subtitles apart", () => {
    const files = listed("A/one.mkv", "A/English.srt", "B/two.mkv", "B/Subs/English.srt", "Extras/notes.srt");
    expect(pathsOf(files, "A/one.mkv")).toEqual(["A/English.srt"]);
    expect(pathsOf(files, "B/two.mkv")).toEqual(["B/Subs/English.srt"]);
  });

  test("language, forced and SDH come from the name", () => {
    expect(facts("Film (2020)/Film.2020.1080p.srt")).toEqual([null, null]);
    expect(facts("Film (2020)/Film.2020.1080p.en.forced.srt")).toEqual(["en", null, "forced"]);
    expect(facts("Film (2020)/Film.2020.1080p.eng.SDH.srt")).toEqual(["en", null, "sdh"]);
    expect(facts("Film (2020)/Film.2020.1080p.en.hi.srt")).toEqual(["en", null, "sdh"]);
    expect(facts("Film (2020)/Film.2020.1080p.hi.srt")).toEqual(["hi", null]);
    expect(facts("Film (2020)/Film.2020.1080p.pt-BR.srt")).toEqual(["pt-BR", null]);
    expect(facts("Film (2020)/Film.2020.1080p.zh-Hans.ass")).toEqual(["zh-Hans", null]);
    expect(facts("Film (2020)/Film.2020.1080p.rus (Goblin).srt")).toEqual(["ru", "Goblin"]);
    expect(facts("Film (2020)/Film.2020.1080p.Русские.srt")).toEqual(["ru", null]);
    expect(facts("Film (2020)/Subs/2_English.srt")).toEqual(["en", null]);
    expect(facts("Film (2020)/Subs/English (SDH).srt")).toEqual(["en", null, "sdh"]);
    expect(facts("Film (2020)/Russian.srt")).toEqual(["ru", null]);
    expect(facts("Film (2020)/RUS Subs/[AniGroup]/Film.2020.1080p.ass")).toEqual(["ru", "AniGroup"]);
    expect(facts("Film (2020)/Rus Subs/Надписи/Film.2020.1080p.ass")).toEqual(["ru", null, "forced"]);
    expect(facts("Film (2020)/Film.2020.1080p.Signs & Songs.en.ass")).toEqual(["en", null, "forced"]);
  });

  test("words of the film's own name are no languages", () => {
    expect(facts("The.Italian.Job.2003.srt", "The.Italian.Job.2003.mkv")).toEqual([null, null]);
    expect(facts("The.Italian.Job.2003.en.srt", "The.Italian.Job.2003.mkv")).toEqual(["en", null]);
    expect(facts("It.Is.No.Film.srt", "It.Is.No.Film.mkv")).toEqual([null, null]);
  });

  test("the list is sorted by path whatever the order of the files, and tells formats", () => {
    const files = listed("f.mkv", "f.vtt", "f.ssa", "f.ass", "f.srt", "f.sub", "f.idx", "f.sup");
    const expected = [
      ["f.ass", "ass"],
      ["f.srt", "srt"],
      ["f.ssa", "ass"],
      ["f.vtt", "vtt"],
    ];
    for (const order of [files, files.toReversed()])
      expect(sidecarsOf(order, "f.mkv").map(({ path, format }) => [path, format])).toEqual(expected);
  });

  test("files too large to read and lists without end are cut", () => {
    const files = [
      ...listed("f.mkv"),
      ...Array.from({ length: 300 }, (_, i) => ({
        index: i + 1,
        path: `f.${i}.srt`,
        lengthBytes: i === 0 ? 16 * MIB + 1 : 1,
      })),
    ];
    const found = sidecarsOf(files, "f.mkv");
    expect(found).toHaveLength(200);
    expect(found.some(({ path }) => path === "f.0.srt")).toBe(false);
  });

  test("a torrent of 60,000 files is looked through file by file, not pair by pair", () => {
    const files = listed(
      ...Array.from({ length: 60_000 }, (_, i) => `s/Show S${i >> 4}E${i}.${i % 2 === 0 ? "mkv" : "srt"}`),
    );
    const started = performance.now();
    sidecarsOf(files, files[0]!.path);
    expect(performance.now() - started).toBeLessThan(20_000);
  }, 60_000);
});
