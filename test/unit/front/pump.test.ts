import { expect, test } from "bun:test";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";

const LENGTH = 4 * 1024 * 1024;

test("the runtime copies what end() could not send at once, so that the last chunk may be written over", async () => {
  const bytes = Buffer.alloc(LENGTH, 7);
  const server = createServer((_request, response) => {
    response.setHeader("content-length", LENGTH);
    response.end(bytes);
    bytes.fill(9);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  let received = 0;
  let wrong = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject).on("close", () => reject(new Error(`cut after ${received} bytes`)));
    socket.on("data", (part: Buffer) => {
      const body = received === 0 ? part.subarray(part.indexOf("\r\n\r\n") + 4) : part;
      received += body.length;
      wrong += body.filter((byte) => byte !== 7).length;
      if (received >= LENGTH) resolve();
    });
    socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  });
  socket.destroy();
  server.close();
  expect([received, wrong]).toEqual([LENGTH, 0]);
});
