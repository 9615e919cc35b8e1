// What a scheduler turn costs. `bun test/bench/scheduler.ts` prints one line per case; no gate is set here.

import { BLOCK_BYTES } from "../../src/base/limits.ts";
import { seededRandom } from "../../src/base/random.ts";
import { MIB } from "../unit/scheduler/torrent-shape.ts";
import { demandAt } from "../unit/scheduler/toy-swarm.ts";
import { WideSwarm } from "../unit/scheduler/wide-swarm.ts";

const OPEN = { streamBytes: Number.POSITIVE_INFINITY, backgroundBytes: Number.POSITIVE_INFINITY };

function percentile(samples: number[], share: number): string {
  samples.sort((a, b) => a - b);
  return (samples[Math.min(samples.length - 1, Math.floor(share * samples.length))] ?? 0).toFixed(3);
}

function report(name: string, samples: number[]): void {
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  console.log(
    `${name}: mean ${mean.toFixed(3)} ms, median ${percentile(samples, 0.5)} ms, p95 ${percentile(samples, 0.95)} ms, p99 ${percentile(samples, 0.99)} ms, max ${percentile(samples, 1)} ms`,
  );
}

/** 200 peers whose queues are full; each 20 ms some blocks come in and a turn refills. */
function fullQueues(withStreams: boolean): WideSwarm {
  const bench = new WideSwarm(200);
  const demands = [0, 8_000, 20_000, 30_000].map((at, stream) =>
    demandAt(bench.geometry, at * MIB, { stream, bytesPerSec: 4_000_000, aheadBytes: 200 * MIB }),
  );
  if (withStreams) bench.scheduler.setDemands(demands);
  for (let round = 0; round < 60; round++) {
    bench.nowMs += 20;
    bench.answer(4_000);
    bench.scheduler.turn(OPEN);
  }
  const samples: number[] = [];
  const idle: number[] = [];
  for (let round = 0; round < 1_000; round++) {
    bench.nowMs += 20;
    bench.answer(1_000);
    if (withStreams && round % 10 === 0) {
      bench.scheduler.setDemands(
        demands.map((demand) => ({ ...demand, readBytes: demand.readBytes + round * 80_000 })),
      );
    }
    const start = performance.now();
    bench.scheduler.turn(OPEN);
    samples.push(performance.now() - start);
    const again = performance.now();
    bench.scheduler.turn(OPEN);
    idle.push(performance.now() - again);
  }
  console.log(
    `outstanding ${bench.scheduler.figures().outstandingBlocks}, wasted ${bench.scheduler.figures().wastedBytes}`,
  );
  report(`turn, 200 peers, ${withStreams ? "4 streams" : "background"}, 1,000 blocks in 20 ms`, samples);
  report("turn with nothing to do", idle);
  return bench;
}

function seeks(bench: WideSwarm): void {
  const samples: number[] = [];
  const random = seededRandom(5);
  for (let round = 0; round < 40; round++) {
    for (let pause = 0; pause < 50; pause++) {
      bench.nowMs += 20;
      bench.answer(1_000);
      bench.scheduler.turn(OPEN);
    }
    const at = random.below(39_000) * MIB;
    const start = performance.now();
    bench.scheduler.setDemands([demandAt(bench.geometry, at, { bytesPerSec: 4_000_000 })]);
    bench.scheduler.turn(OPEN);
    samples.push(performance.now() - start);
  }
  console.log(`cancels ${bench.cancels}`);
  report("seek turn, 200 peers", samples);
}

/** One peer that answers at once: what a gigabyte costs. */
function onePeer(): void {
  const bench = new WideSwarm(1);
  bench.scheduler.peerHasAll(1);
  const start = performance.now();
  const cpu = process.cpuUsage();
  const blocks = (4 * 1024 * MIB) / BLOCK_BYTES;
  let done = 0;
  while (done < blocks) {
    bench.nowMs += 1.5;
    bench.scheduler.turn(OPEN);
    const count = Math.max(1, bench.sent.length >> 1);
    bench.answer(count);
    done += count;
  }
  const used = process.cpuUsage(cpu);
  const perGiB = (used.user + used.system) / 1e6 / 4;
  console.log(
    `one peer: ${perGiB.toFixed(3)} CPU s/GiB, ${((4096 * 1000) / (performance.now() - start)).toFixed(0)} MiB/s of scheduling`,
  );
}

onePeer();
fullQueues(false);
seeks(fullQueues(true));
