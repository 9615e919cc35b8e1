// Loaded into the server process before it starts: tells every 250 ms on stderr how late the event loop was at worst.

const PERIOD_MS = 5;
const REPORT_MS = 250;

let lastMs = performance.now();
let lags: number[] = [];

setInterval(() => {
  const nowMs = performance.now();
  lags.push(Math.max(0, nowMs - lastMs - PERIOD_MS));
  lastMs = nowMs;
}, PERIOD_MS).unref();

setInterval(() => {
  const lagMs = lags.map((lag) => Math.round(lag * 10) / 10);
  lags = [];
  process.stderr.write(`${JSON.stringify({ probe: { lagMs, rssBytes: process.memoryUsage.rss() } })}\n`);
}, REPORT_MS).unref();
