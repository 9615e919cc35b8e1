import { describe, expect, test } from "bun:test";
import { createLog } from "../../src/base/log.ts";
import { seededRandom } from "../../src/base/random.ts";
import { encodeBencode } from "../../src/metainfo/index.ts";
import { createDht } from "../../src/swarm/dht/dht-node.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeUdp } from "../unit/swarm/dht/fake-udp.ts";
import { type FuzzTarget, fuzz, fuzzInputs, fuzzSeed } from "./fuzz.ts";
import { SWARM_TARGETS } from "./swarm-targets.ts";

describe("fuzz", () => {
  for (const target of SWARM_TARGETS) {
    test(`${target.name}: any input is taken or refused with a typed error, in bounded time`, () => {
      const result = fuzz(target, { seed: fuzzSeed(), inputs: fuzzInputs() });
      expect(result.refused).toBeLessThan(result.inputs);
    }, 600_000);
  }

  test("what the checks let through never makes the DHT package throw", async () => {
    const lines: string[] = [];
    const clock = new FakeClock();
    const udp = new FakeUdp();
    const here = { host: "127.0.0.1", port: 6881 };
    const node = await createDht({
      udp,
      host: here.host,
      port: here.port,
      bootstrap: [],
      savedNodes: [],
      clock,
      random: seededRandom(1),
      log: createLog("warn", (line) => lines.push(line)),
    });
    const id = new Uint8Array(20).fill(0x61);
    const [target] = SWARM_TARGETS;
    const throughPackage: FuzzTarget = {
      ...(target as FuzzTarget),
      name: "DHT package",
      corpus: [
        ...(target?.corpus ?? []),
        encodeBencode({ t: "aa", y: "q", q: "get", a: { id, target: id } }),
      ],
      run(input) {
        clock.advance(1_000);
        udp.deliver(input, { host: "8.8.4.4", port: 6881 }, here);
        udp.sent.length = 0;
        if (lines.length > 0) throw new Error(lines.join("\n"));
        // Refused packets are told to the fuzzer, or it would go on from rubbish.
        target?.run(input);
      },
    };
    fuzz(throughPackage, { seed: fuzzSeed(), inputs: Math.min(fuzzInputs(), 100_000) });
    await node.close();
  }, 600_000);
});
