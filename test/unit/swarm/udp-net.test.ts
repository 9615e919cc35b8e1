import { expect, test } from "bun:test";
import type { PeerAddress } from "../../../src/base/address.ts";
import { bunUdpNet } from "../../../src/swarm/udp-net.ts";

const HOST = "127.0.0.1";

test("packets arrive with the address they came from", async () => {
  const arrived = Promise.withResolvers<[string, PeerAddress]>();
  const receiver = await bunUdpNet.bind({ host: HOST, port: 0 }, (bytes, from) =>
    arrived.resolve([Buffer.from(bytes).toString(), from]),
  );
  const sender = await bunUdpNet.bind({ host: HOST, port: 0 }, () => undefined);
  sender.send(new Uint8Array([0x68, 0x69]), { host: HOST, port: receiver.port });
  expect(await arrived.promise).toEqual(["hi", { host: HOST, port: sender.port }]);
  receiver.close();
  sender.close();
});

test("a dead address costs no packet to a living one", async () => {
  const { port: dead, close } = await bunUdpNet
    .bind({ host: HOST, port: 0 }, () => undefined)
    .then((socket) => {
      return { port: socket.port, close: () => socket.close() };
    });
  close();
  const count = 50;
  let arrived = 0;
  const all = Promise.withResolvers<void>();
  const receiver = await bunUdpNet.bind({ host: HOST, port: 0 }, () => {
    if (++arrived === count) all.resolve();
  });
  const sender = await bunUdpNet.bind({ host: HOST, port: 0 }, () => undefined);
  for (let i = 0; i < count; i++) {
    sender.send(new Uint8Array([1]), { host: HOST, port: dead });
    sender.send(new Uint8Array([2]), { host: HOST, port: receiver.port });
  }
  await all.promise;
  expect(arrived).toBe(count);
  receiver.close();
  sender.close();
});

test.each([
  ["no route", { host: "2001:db8::1", port: 6881 }],
  ["broadcast", { host: "255.255.255.255", port: 6881 }],
  ["port 0", { host: HOST, port: 0 }],
])("a packet that cannot be sent (%s) is lost without a throw", async (_, to) => {
  const sender = await bunUdpNet.bind({ host: HOST, port: 0 }, () => undefined);
  expect(() => sender.send(new Uint8Array([1]), to)).not.toThrow();
  expect(() => sender.send(new Uint8Array(70_000), { host: HOST, port: 9_999 })).not.toThrow();
  sender.close();
});

test("a taken port is an error with the system's code", async () => {
  const first = await bunUdpNet.bind({ host: HOST, port: 0 }, () => undefined);
  const code = await bunUdpNet
    .bind({ host: HOST, port: first.port }, () => undefined)
    .then(
      () => null,
      (error) => error.code,
    );
  expect(code).toBe("EADDRINUSE");
  first.close();
});

test("sending and closing after close do nothing", async () => {
  const socket = await bunUdpNet.bind({ host: HOST, port: 0 }, () => undefined);
  socket.close();
  socket.close();
  socket.send(new Uint8Array([1]), { host: HOST, port: 9 });
});
