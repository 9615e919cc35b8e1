import { expect, test } from "bun:test";
import { runtimeProblem } from "../../../src/config/index.ts";

test("an older Bun is refused with the command that fixes it; this one and newer ones are not", () => {
  for (const version of ["1.4.5", "1.4.10", "1.10.0", "2.0.0", Bun.version])
    expect(runtimeProblem(version)).toBeNull();
  for (const version of ["1.4.4", "1.3.99", "0.9.0", "1.4.5-canary.1"]) {
    expect(runtimeProblem(version)).toContain("fix: ./torrx start");
  }
});
