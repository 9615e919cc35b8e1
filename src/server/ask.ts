// Questions on the terminal. What is typed for a hidden line is never shown; the terminal is given back as it was.

import { createInterface } from "node:readline";
import type { ReadStream } from "node:tty";
import { TorrxError } from "../base/errors.ts";

const [INTERRUPT, END, BACKSPACE, DELETE, KILL_LINE] = ["\u0003", "\u0004", "\b", "\u007f", "\u0015"];

export type Ask = (question: string) => Promise<string>;

/** The first line of `input`, "" when it has none. */
export function readLine(input: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input, terminal: false });
  return new Promise((resolve) => {
    lines.once("line", (line) => {
      resolve(line);
      lines.close();
    });
    lines.once("close", () => resolve(""));
  });
}

/** Lets `dialogue` ask on the terminal; rejects config_invalid when the user gives up (Ctrl-C, Ctrl-D). */
export async function readHiddenLines<T>(
  input: ReadStream,
  output: NodeJS.WritableStream,
  dialogue: (ask: Ask) => Promise<T>,
): Promise<T> {
  const keys = keysOf(input);
  input.setRawMode(true);
  try {
    return await dialogue(async (question) => {
      output.write(question);
      const line = await hiddenLine(keys);
      output.write("\n");
      if (line === null) throw new TorrxError("config_invalid", "given up; nothing was changed");
      return line;
    });
  } finally {
    input.setRawMode(false);
    await keys.return(undefined);
  }
}

/** Every character by itself: what is pasted comes in one go, and may hold more than one line. */
async function* keysOf(input: ReadStream): AsyncGenerator<string, undefined> {
  input.setEncoding("utf8");
  for await (const text of input) yield* String(text);
}

/** null when the user gives up. */
async function hiddenLine(keys: AsyncGenerator<string, undefined>): Promise<string | null> {
  const line: string[] = [];
  for (;;) {
    const { value: key } = await keys.next();
    if (key === undefined || key === INTERRUPT || key === END) return null;
    if (key === "\r" || key === "\n") return line.join("");
    if (key === BACKSPACE || key === DELETE) line.pop();
    else if (key === KILL_LINE) line.length = 0;
    else line.push(key);
  }
}
