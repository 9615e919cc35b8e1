import { expect, test } from "bun:test";
import { SerialTasks } from "../../../src/engine/serial-tasks.ts";

test("tasks run one after the other in their order, whatever a failed one does", async () => {
  const tasks = new SerialTasks();
  const lines: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = tasks.run(async () => {
    lines.push("first");
    await gate.promise;
    lines.push("first done");
  });
  const second = tasks.run(() => {
    lines.push("second");
    return Promise.reject(new Error("broken"));
  });
  const third = tasks.run(() => Promise.resolve(lines.push("third")));
  await Promise.resolve();
  expect(lines).toEqual(["first"]);
  gate.resolve();
  await first;
  await expect(second).rejects.toThrow("broken");
  expect(await third).toBe(4);
  expect(lines).toEqual(["first", "first done", "second", "third"]);
});
