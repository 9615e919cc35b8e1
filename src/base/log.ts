// Structured log: one JSON object a line on stderr. Lines carry ids, never names, tokens, passwords or passkeys:
// whatever looks like one is blanked here, whoever wrote it.

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log, its lines marked with the module's name. */
  of(module: string): Log;
}

const SECRETS: readonly [RegExp, string][] = [
  [/([?&](?:token|passkey|authkey|torrent_pass|key|uk|pass|password)=)[^&\s"]+/gi, "$1***"],
  [/((?:authorization|password)["']?\s*[:=]\s*["']?(?:basic\s+)?)[^\s"',}]+/gi, "$1***"],
  [/(\/)[0-9a-f]{32,}(?=\/announce)/gi, "$1***"],
  [/(:\/\/)[^/\s:@]+:[^/\s@]+@/g, "$1***@"],
];

/** `text` without secrets that it may carry. */
export function redact(text: string): string {
  return SECRETS.reduce((out, [pattern, replacement]) => out.replace(pattern, replacement), text);
}

/** A log at `level`; `write` gets whole lines without a newline. */
export function createLog(level: LogLevel, write: (line: string) => void, module = "main"): Log {
  const threshold = LOG_LEVELS.indexOf(level);
  const line =
    (of: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(of) < threshold) return;
      const entry: Record<string, unknown> = {
        ts: new Date().toISOString(),
        level: of,
        mod: module,
        msg: redact(message),
      };
      for (const [key, value] of Object.entries(fields)) {
        if (value !== undefined) entry[key] = typeof value === "string" ? redact(value) : value;
      }
      write(JSON.stringify(entry));
    };
  return {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    of: (name) => createLog(level, write, name),
  };
}

/** A log that says nothing; for tests and for parts run on their own. */
export const silentLog: Log = createLog("silent", () => undefined);
