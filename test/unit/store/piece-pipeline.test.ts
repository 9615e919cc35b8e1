import { expect, test } from "bun:test";
import { resolve } from "node:path";

const PIPELINE = resolve(import.meta.dir, "../../../src/store/piece-pipeline.ts");

/** What becomes of a process in which this throws although it must not. */
async function endOf(use: string): Promise<{ exitCode: number; errors: string }> {
  const script = `
    import { PiecePipeline } from ${JSON.stringify(PIPELINE)};
    const broken = () => Promise.reject(new Error("a listener broke off"));
    const pipeline = new PiecePipeline(1, broken);
    ${use}
    await pipeline.drain();
    await new Promise((resolve) => setImmediate(resolve));`;
  const child = Bun.spawn([process.execPath, "-e", script], { stderr: "pipe" });
  const [exitCode, errors] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  return { exitCode, errors };
}

test("what is thrown on a piece's way, by whoever is told of it, is not swallowed", async () => {
  for (const use of ["pipeline.add({ piece: 1, slot: null });", "pipeline.runBeside(broken);"]) {
    const { exitCode, errors } = await endOf(use);
    expect(exitCode).not.toBe(0);
    expect(errors).toContain("a listener broke off");
  }
});
