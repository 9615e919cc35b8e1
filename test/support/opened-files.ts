// What a program opens and whom it calls, as strace saw it.

import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemCodeOf } from "../../src/base/errors.ts";
import { tmpFolder } from "./tmp.ts";

const CALLS = "open,openat,openat2,creat,connect,bind,execve,exit_group";

export interface Deeds {
  /** Paths that were opened, and those that were tried. */
  readonly opened: readonly string[];
  readonly tried: readonly string[];
  /** "127.0.0.1:80", tried or done. */
  readonly called: readonly string[];
  /** Ports bound. */
  readonly bound: readonly string[];
}

export interface Watch {
  /** Starts `program` with the words behind it, as if it had been started itself: same parent, same pid. */
  readonly path: string;
  /** What the process of this pid did from the moment when it became `program`'s successor. */
  deedsOf(pid: number): Promise<Deeds>;
}

/** A stand-in for a program. */
export function watched(program: string): Watch {
  const folder = tmpFolder("watch");
  const path = join(folder, "program");
  writeFileSync(
    path,
    `#!/bin/sh\nexec strace -D -f -q -s 4096 -e trace=${CALLS} -o '${folder}/log.'$$ '${program}' "$@"\n`,
  );
  chmodSync(path, 0o755);
  return {
    path,
    deedsOf: async (pid) => parse(await wholeLog(join(folder, `log.${pid}`), pid)),
  };
}

/** The tracer ends after the program does. */
async function wholeLog(path: string, pid: number): Promise<string> {
  for (;;) {
    const text = readLog(path);
    if (new RegExp(`^${pid}\\s+\\+\\+\\+ (exited|killed)`, "m").test(text)) return text;
    await Bun.sleep(10);
  }
}

function readLog(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return "";
    throw error;
  }
}

function parse(log: string): Deeds {
  const calls = afterLastExec(wholeCalls(log));
  const opens = calls.filter((call) => /^(open|openat|openat2|creat)\(/.test(call));
  const pathOf = (call: string) => /"((?:[^"\\]|\\.)*)"/.exec(call)?.[1]?.replace(/^\/+/, "/") ?? call;
  const placesOf = (name: string) =>
    calls
      .filter((call) => call.startsWith(`${name}(`))
      .map((call) => {
        const [, port, address] = /htons\((\d+)\).*?inet_\w+\([^"]*"([^"]+)"/.exec(call) ?? [];
        return port === undefined ? call : `${address}:${port}`;
      });
  return {
    opened: opens.filter((call) => !/= -1 E/.test(call)).map(pathOf),
    tried: opens.map(pathOf),
    called: placesOf("connect"),
    bound: placesOf("bind"),
  };
}

/** Calls as one line each, also those that another thread interrupted in the log. */
function wholeCalls(log: string): string[] {
  const begun = new Map<string, string>();
  const calls: string[] = [];
  for (const line of log.split("\n")) {
    const [, pid = "", rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest)?.[1];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    if (unfinished !== undefined) begun.set(pid, unfinished);
    else if (resumed !== undefined) calls.push((begun.get(pid) ?? "") + resumed);
    else calls.push(rest);
  }
  return [...calls, ...begun.values()];
}

/** What torrx-exec opened before it became the program is none of the program's doing. */
function afterLastExec(calls: readonly string[]): string[] {
  return calls.slice(calls.findLastIndex((call) => call.startsWith("execve(") && call.endsWith("= 0")) + 1);
}
