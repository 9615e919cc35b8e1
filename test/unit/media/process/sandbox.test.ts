import { describe, expect, test } from "bun:test";
import type { ProgramFile } from "../../../../src/media/process/program-file.ts";
import {
  listingWords,
  parseSandbox,
  sandboxWarning,
  sandboxWords,
} from "../../../../src/media/process/sandbox.ts";

const file: ProgramFile = {
  name: "ffmpeg",
  path: "/opt/ffmpeg/ffmpeg",
  identity: "1",
  isScript: false,
  runnable: ["/opt/ffmpeg/ffmpeg"],
};
const options = { parent: 42, port: 8080, isEncode: false };

/** Values of an option. */
function valuesOf(words: readonly string[], option: string): string[] {
  return words.flatMap((word, at) => (word === option ? [words[at + 1] ?? ""] : []));
}

describe("a program's sandbox", () => {
  test("names the program, its parent and the one port", () => {
    const words = sandboxWords(file, options);
    expect(words.slice(words.indexOf("--"))).toEqual(["--", "/opt/ffmpeg/ffmpeg", "ffmpeg"]);
    expect([valuesOf(words, "--parent"), valuesOf(words, "--connect")]).toEqual([["42"], ["8080"]]);
    expect(valuesOf(words, "--run")).toContain("/opt/ffmpeg/ffmpeg");
    expect(words).not.toContain("--may-fork");
  });

  test("has no port where there is none", () => {
    expect(sandboxWords(file, { ...options, port: null })).not.toContain("--connect");
  });

  test("never has a folder that people keep things in", () => {
    const words = sandboxWords({ ...file, isScript: true }, { ...options, devices: ["/dev/dri"] });
    const paths = ["--run", "--read", "--device"].flatMap((option) => valuesOf(words, option));
    for (const place of [
      "/",
      "/home",
      "/root",
      "/data",
      "/config",
      "/mnt",
      "/media",
      "/srv",
      "/tmp",
      "/var",
      "/etc",
      "/dev",
      "/proc",
    ]) {
      expect(paths).not.toContain(place);
    }
  });

  test("gives an encode the last turn and more memory", () => {
    const copy = sandboxWords(file, options);
    const encode = sandboxWords(file, { ...options, isEncode: true });
    const number = (words: string[], option: string) => Number(valuesOf(words, option)[0]);
    expect(number(encode, "--nice")).toBeGreaterThan(number(copy, "--nice"));
    expect(number(encode, "--address-mib")).toBeGreaterThan(3 * 1024);
    expect(number(encode, "--address-mib")).toBeGreaterThan(number(copy, "--address-mib"));
  });

  test("opens devices only where they are asked for, and then bounds no address space", () => {
    expect(valuesOf(sandboxWords(file, options), "--device")).toEqual(["/dev/null"]);
    const words = sandboxWords(file, { ...options, devices: ["/dev/dri"] });
    expect(valuesOf(words, "--device")).toEqual(["/dev/null", "/dev/dri"]);
    expect(words).not.toContain("--address-mib");
  });

  test("reads everything only for what has no input, no port and no device", () => {
    const words = listingWords(file.path, file.name, 42);
    expect(valuesOf(words, "--run")).toEqual(["/"]);
    expect(words.slice(words.indexOf("--"))).toEqual(["--", file.path, "ffmpeg", "-version"]);
    for (const option of ["--connect", "--device", "--may-fork"]) expect(words).not.toContain(option);
  });

  test("lets a script start programs", () => {
    expect(sandboxWords({ ...file, isScript: true }, options)).toContain("--may-fork");
  });
});

describe("what the kernel offers", () => {
  test("is read from the answer, and anything else is none", () => {
    expect(parseSandbox("landlock 7\ncall_filter 1\n")).toEqual({ landlock: 7, hasCallFilter: true });
    expect(parseSandbox("landlock 0\ncall_filter 0\n")).toEqual({ landlock: 0, hasCallFilter: false });
    for (const text of ["", "landlock\n", "landlock 7\n", "landlock -1\ncall_filter 1\n"]) {
      expect(parseSandbox(text)).toBeNull();
    }
  });

  test("is warned of where something is missing, once", () => {
    expect(sandboxWarning({ landlock: 0, hasCallFilter: true })).toContain("Landlock");
    expect(sandboxWarning({ landlock: 3, hasCallFilter: true })).toContain("6.7");
    expect(sandboxWarning({ landlock: 4, hasCallFilter: false })).toContain("system calls");
    expect(sandboxWarning({ landlock: 4, hasCallFilter: true })).toBeNull();
  });
});
