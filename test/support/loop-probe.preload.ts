// Loaded into the server process before it starts: tells every 250 ms on stderr how late the event loop was.

const PERIOD_MS = 5;
const REPORT_MS = 250;
/** Shorter lags are counted only. */
const NOTABLE_MS = 3;

let lastMs = performance.now();
let lags: number[] = [];

setInterval(() => {
  const nowMs = performance.now();
  lags.push(Math.max(0, nowMs - lastMs - PERIOD_MS));
  lastMs = nowMs;
}, PERIOD_MS).unref();

setInterval(() => {
  const count = lags.length;
  const notable = lags.filter((lagMs) => lagMs > NOTABLE_MS).map((lagMs) => Math.round(lagMs * 10) / 10);
  lags = [];
  process.stderr.write(
    `${JSON.stringify({ probe: { count, notable, rssBytes: process.memoryUsage.rss() } })}\n`,
  );
}, REPORT_MS).unref();
