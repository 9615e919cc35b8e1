// Times as subtitle files write them: 00:01:02,345 and what people make of it (a dot, no hours, one digit, spaces).

export interface ReadTime {
  readonly sec: number;
  /** Where the text goes on. */
  readonly end: number;
}

/** Sticky and with bounded counts: a line costs its length at most a constant number of times. */
const TIME = /\s{0,8}(-?)(?:(\d{1,3})\s?:\s?)?(\d{1,2})\s?:\s?(\d{1,2})(?:\s?[,.:;]\s?(\d{1,9}))?/y;
const ARROW = /\s{0,8}(?:-{1,3}|[–—=])\s?(?:>|&gt;)/y;

export function readTime(text: string, at: number): ReadTime | null {
  TIME.lastIndex = at;
  const match = TIME.exec(text);
  if (match === null) return null;
  const [, minus, hours = "0", minutes, seconds, fraction = ""] = match;
  const sec =
    Number(hours) * 3600 +
    Number(minutes) * 60 +
    Number(seconds) +
    (fraction === "" ? 0 : Number(`0.${fraction}`));
  return { sec: minus === "-" ? -sec : sec, end: TIME.lastIndex };
}

export interface TimingLine {
  readonly startSec: number;
  readonly endSec: number;
  /** What stands behind the two times. */
  readonly rest: string;
}

/** "00:00:01,000 --> 00:00:02,000 rest", or null where the line is none. An end that is missing is the start. */
export function readTimingLine(line: string): TimingLine | null {
  if (line.length > 1_000) return null;
  const start = readTime(line, 0);
  if (start === null) return null;
  ARROW.lastIndex = start.end;
  if (!ARROW.test(line)) return null;
  const end = readTime(line, ARROW.lastIndex);
  if (end === null) return { startSec: start.sec, endSec: start.sec, rest: "" };
  return { startSec: start.sec, endSec: end.sec, rest: line.slice(end.end).trim() };
}
