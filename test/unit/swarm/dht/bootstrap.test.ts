import { expect, test } from "bun:test";
import { silentLog } from "../../../../src/base/log.ts";
import { seededRandom } from "../../../../src/base/random.ts";
import { Bootstrap } from "../../../../src/swarm/dht/bootstrap.ts";

const base = { routers: [], savedNodes: [], dns: undefined, random: seededRandom(1), log: silentLog };

test("routers are addresses as they are, and names as they resolve; what fails is left out", async () => {
  const bootstrap = new Bootstrap({
    ...base,
    routers: [
      "8.8.4.4:7000",
      "8.8.4.5",
      "router.example:6881",
      "gone.example:6881",
      "v6.example:6881",
      "bad:port",
      "224.0.0.1:6881",
    ],
    dns: {
      resolve: (host) =>
        host === "router.example"
          ? Promise.resolve(["9.9.9.9", "9.9.9.8"])
          : host === "v6.example"
            ? Promise.resolve(["2001:db8::1"])
            : Promise.reject(new Error("NXDOMAIN")),
    },
  });
  expect(await bootstrap.routers()).toEqual([
    { host: "8.8.4.4", port: 7000 },
    { host: "8.8.4.5", port: 6881 },
    { host: "9.9.9.9", port: 6881 },
    { host: "9.9.9.8", port: 6881 },
  ]);
});

test("without a resolver names are left out", async () => {
  expect(await new Bootstrap({ ...base, routers: ["router.example:6881"] }).routers()).toEqual([]);
});

test("saved nodes come a few at a time, each before any comes again, none that cannot be a node", () => {
  const savedNodes = Array.from({ length: 50 }, (_, i) => ({ host: `9.9.9.${i + 1}`, port: 6881 }));
  const bootstrap = new Bootstrap({
    ...base,
    savedNodes: [...savedNodes, { host: "name", port: 1 }, { host: "9.9.9.9", port: 53 }],
  });
  const tries = [bootstrap.nextSaved(), bootstrap.nextSaved(), bootstrap.nextSaved()];
  expect(tries.map((nodes) => nodes.length)).toEqual([24, 24, 2]);
  expect(new Set(tries.flat().map((node) => node.host)).size).toBe(50);
  expect(bootstrap.nextSaved()).toEqual(tries[0]!);
});

test("nothing to ask is nothing asked", () => {
  expect(new Bootstrap(base).nextSaved()).toEqual([]);
});
