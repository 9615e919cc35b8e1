import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import fc from "fast-check";
import { TorrxError } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { PathAllocator, safeComponent, safePathOf } from "../../../src/metainfo/safe-path.ts";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(..."./\\ ab\u0000\u202e\u200b:cCoOnN1\ud800é", "e\u0301", "(2)", "😀") }),
);

describe("safe component", () => {
  test.each([
    ["film.mkv", "film.mkv"],
    ["Фильм: часть 2?.mkv", "Фильм: часть 2?.mkv"],
    ["..", "_"],
    [".", "_"],
    ["", "_"],
    ["...", "_"],
    ["   ", "_"],
    ["/", "_"],
    ["../../etc/passwd", "....etcpasswd"],
    ["..\\..\\x", "....x"],
    ["a\u0000b", "a_b"],
    ["a\nb\u0085c\u2028d", "a_b_c_d"],
    ["x\u202egnp.exe", "xgnp.exe"],
    ["a\u200bb\ufeff", "ab"],
    ["e\u0301", "\u00e9"],
    ["e\u200b\u0301", "\u00e9"],
    ["name. . ", "name"],
    ["CON", "_CON"],
    ["nul.txt", "_nul.txt"],
    ["com1", "_com1"],
    ["COM\u00b2.log", "_COM\u00b2.log"],
    ["console", "console"],
    ["C:", "C_"],
    [".hidden", ".hidden"],
    ["\ud800x", "_x"],
  ])("%p becomes %p", (text, safe) => {
    expect(safeComponent(text) as string).toBe(safe);
  });

  test("a long name keeps its extension and whole characters", () => {
    const safe = safeComponent(`${"ж".repeat(300)}.mkv`);
    expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(LIMITS.metainfo.pathComponentBytes);
    expect(safe).toMatch(/^ж+\.mkv$/);
    expect(Buffer.byteLength(safeComponent("a".repeat(255)))).toBe(255);
    expect(Buffer.byteLength(safeComponent("a".repeat(256)))).toBe(255);
  });

  test("any text becomes one component that cannot leave its folder, and stays as it is when made again", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const safe: string = safeComponent(text);
        expect(resolve("/root", safe)).toBe(`/root/${safe}`);
        expect(safe).not.toMatch(/[/\\\p{Cc}]|[. ]$|^$/u);
        expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(255);
        expect(safe.normalize("NFC")).toBe(safe);
        expect(safeComponent(safe) as string).toBe(safe);
      }),
      { numRuns: 2_000 },
    );
  });
});

function allocated(paths: readonly string[][]): string[] {
  const allocator = new PathAllocator();
  return paths.map((path) => allocator.allocate(path));
}

describe("path allocator", () => {
  test.each([
    ["equal names", [["a.mkv"], ["a.mkv"], ["a.mkv"]], ["a.mkv", "a (2).mkv", "a (3).mkv"]],
    ["names that differ in case", [["A.mkv"], ["a.mkv"]], ["A.mkv", "a (2).mkv"]],
    ["names that differ in composition", [["\u00e9"], ["e\u0301"]], ["\u00e9", "\u00e9 (2)"]],
    ["names equal once made safe", [["a/b"], ["ab"]], ["ab", "ab (2)"]],
    ["a number that is taken", [["a (2)"], ["a"], ["a"]], ["a (2)", "a", "a (3)"]],
    ["a file, then a folder of its name", [["a"], ["a", "b"], ["a", "c"]], ["a", "a (2)/b", "a (2)/c"]],
    ["a folder, then a file of its name", [["a", "b"], ["a"], ["a", "c"]], ["a/b", "a (2)", "a/c"]],
    [
      "a folder's number after more files",
      [["a"], ["a", "b"], ["a"], ["a", "c"]],
      ["a", "a (2)/b", "a (3)", "a (2)/c"],
    ],
    [
      "the same name in two folders",
      [
        ["x", "a"],
        ["y", "a"],
      ],
      ["x/a", "y/a"],
    ],
    ["no components", [[]], ["_"]],
  ] as [string, string[][], string[]][])("%s", (_, paths, expected) => {
    expect(allocated(paths)).toEqual(expected);
  });

  test("64 levels are taken, 65 refused", () => {
    const deep = (levels: number) => Array.from({ length: levels }, () => "d");
    expect(allocated([deep(64)])[0]).toBe(deep(64).join("/"));
    expect(() => allocated([deep(65)])).toThrow(TorrxError);
  });

  test("a path of 2,048 bytes is taken, one more refused", () => {
    const parts = [...Array.from({ length: 8 }, () => "x".repeat(250)), "y".repeat(40)];
    expect(Buffer.byteLength(safePathOf(parts))).toBe(2_048);
    expect(() => safePathOf([...parts.slice(0, -1), "y".repeat(41)])).toThrow(TorrxError);
  });

  test("100,000 files of one name take linear time", () => {
    const allocator = new PathAllocator();
    const started = performance.now();
    let last = "";
    for (let i = 0; i < 100_000; i++) last = allocator.allocate(["a"]);
    expect(last).toBe("a (100000)");
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("paths of one torrent never clash, not even where case is ignored, and never leave the root", () => {
    const component = fc.oneof(
      fc.constantFrom("a", "A", "b", "a (2)", "..", "", "é", "e\u0301", "CON", "a.b", "A.B"),
      anyText,
    );
    fc.assert(
      fc.property(fc.array(fc.array(component, { maxLength: 4 }), { maxLength: 30 }), (wishes) => {
        const paths = allocated(wishes);
        const folded = paths.map((path) => path.toUpperCase().toLowerCase().normalize("NFC"));
        expect(new Set(folded).size).toBe(paths.length);
        const folders = new Set(
          folded.flatMap((path) =>
            path
              .split("/")
              .slice(0, -1)
              .map((_, i, parts) => parts.slice(0, i + 1).join("/")),
          ),
        );
        for (const path of folded) expect(folders.has(path)).toBe(false);
        for (const path of paths) expect(resolve("/root", path)).toBe(`/root/${path}`);
      }),
      { numRuns: 500 },
    );
  });
});
