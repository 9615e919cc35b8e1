// What a program can still do once torrx-exec has started it, on this kernel and on lesser ones.

import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExecRig, SYSTEM } from "../support/exec-rig.ts";
import { hasProgram } from "../support/namespace.ts";
import { fieldsOf } from "../support/process-state.ts";

const NOBODY = 65_534;
const canDrop = process.getuid?.() === 0 && hasProgram("setpriv");

const rig = await ExecRig.make();
const { home, exec, program, secret, ports } = rig;
afterAll(() => rig.close());

function all(lines: readonly string[], answer: string): Record<string, string> {
  return Object.fromEntries(lines.map((line) => [line, answer]));
}

/** What can be done to another process without looking into it. */
const TOUCHES = [
  ...["limits", "priority", "io-priority", "scheduler", "affinity", "robust-list"],
  ...["own", "own-ex", "own-ioctl", "own-socket", "own-signal"],
];
const touching = (pid: number) => TOUCHES.map((what) => `touch ${what} ${pid}`);

/** What the machine's own ffmpeg says of itself. */
async function startsFfmpeg(before: readonly string[]): Promise<string> {
  const ffmpeg = realpathSync(Bun.which("ffmpeg") ?? "ffmpeg");
  const options = [...SYSTEM, "--run", ffmpeg, "--read", "/etc/ld.so.cache", "--address-mib", "2048"];
  const line = ["--parent", String(process.pid), ...options, "--", ffmpeg, "ffmpeg", "-version"];
  return (await rig.run(line, before)).stdout;
}

/** What a careless parent could leave to it: a descriptor, signals that are ignored. */
const LEAVING = ["sh", "-c", `trap "" PIPE HUP USR1; exec 5</etc/passwd; exec "$@"`, "sh"];

/** A program that waits, while `look` looks at it. */
async function whileItWaits(options: readonly string[], look: (pid: number) => void): Promise<void> {
  const child = Bun.spawn([...LEAVING, exec, ...rig.words(options, "wait")], {
    env: { SECRET: "1" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  await child.stdout.getReader().read();
  try {
    look(child.pid);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

const statusOf = (pid: number, field: string) =>
  new RegExp(`^${field}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];

describe("a program that was started through it", () => {
  test("has nothing of ours: no environment, no folder, no descriptors, no privileges, no terminal's group", async () => {
    await whileItWaits(["--nice", "7"], (pid) => {
      expect(readFileSync(`/proc/${pid}/environ`, "utf8")).toBe("LC_ALL=C\0PATH=/usr/bin:/bin\0");
      expect(readlinkSync(`/proc/${pid}/cwd`)).toBe("/");
      expect(readlinkSync(`/proc/${pid}/fd/0`)).toBe("/dev/null");
      expect([3, 4, 5, 6, 7, 8, 9, 10].filter((fd) => existsSync(`/proc/${pid}/fd/${fd}`))).toEqual([]);
      expect([statusOf(pid, "NoNewPrivs"), statusOf(pid, "Seccomp")]).toEqual(["1", "2"]);
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) expect(statusOf(pid, set)).toMatch(/^0+$/);
      for (const set of ["SigBlk", "SigIgn"]) expect(statusOf(pid, set)).toMatch(/^0+$/);
      const [, , group] = fieldsOf(pid);
      expect(Number(group)).toBe(pid);
      expect(Number(fieldsOf(pid)[16])).toBe(7);
      expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim()).toBe("1000");
    });
  });

  test("has bounds: open files, sizes of files, core files, address space", async () => {
    await whileItWaits(["--address-mib", "2048"], (pid) => {
      const limits = readFileSync(`/proc/${pid}/limits`, "utf8");
      const limitOf = (name: string) =>
        new RegExp(`^${name}\\s+(\\S+)\\s+(\\S+)`, "m").exec(limits)?.slice(1);
      expect(limitOf("Max open files")).toEqual(["64", "64"]);
      expect(limitOf("Max file size")).toEqual(["0", "0"]);
      expect(limitOf("Max core file size")).toEqual(["0", "0"]);
      expect(limitOf("Max address space")).toEqual([String(2 ** 31), String(2 ** 31)]);
    });
    expect(await rig.tries(["--address-mib", "2048"], ["reserve 1000", "reserve 4000"])).toEqual({
      "reserve 1000": "ok",
      "reserve 4000": "ENOMEM",
    });
  });

  test("could do all that follows without it", async () => {
    const [ours, other] = ports;
    const lines = [
      ...["/etc/passwd", "/proc/self/status", secret].map((path) => `read ${path}`),
      ...["write", "chmod", "mkdir"].map((what) => `${what} ${join(home, `free-${what}`)}`),
      ...["connect", "fastopen"].map((what) => `${what} 127.0.0.1 ${what === "connect" ? ours : other}`),
      ...["udp", "unix", "bind", "fork", "thread", `signal ${process.pid}`],
      ...touching(process.pid),
      "touch group-priority 0",
    ];
    writeFileSync(join(home, "free-chmod"), "");
    const child = Bun.spawn([program, "try", ...lines], { stdin: "ignore", stdout: "pipe" });
    expect(await new Response(child.stdout).text()).toBe(lines.map((line) => `${line}: ok\n`).join(""));
    await child.exited;
  });

  test("opens and changes no file but what it was given, not even root's", async () => {
    const folder = join(home, "folder");
    mkdirSync(folder, { recursive: true });
    const files = ["/etc/passwd", "/proc/self/status", `/proc/${process.pid}/environ`, secret];
    const lines = [
      ...files.map((path) => `read ${path}`),
      ...["/", home, "/tmp", "/dev", "/etc"].map((path) => `list ${path}`),
      ...["write", "unlink", "rename", "truncate"].map((what) => `${what} ${secret}`),
      `mkdir ${join(folder, "new")}`,
      `exec ${secret}`,
      "exec /usr/bin/true",
    ];
    expect(await rig.tries([], lines)).toEqual(all(lines, "EACCES"));
    const attributes = [`chmod ${secret}`, `chown ${secret}`, `chmod ${program}`];
    expect(await rig.tries([], attributes)).toEqual(all(attributes, "EPERM"));
    expect(readFileSync(secret, "utf8")).toBe("secret");
  });

  test("reads what it may read, and writes to devices alone", async () => {
    const lines = [`read ${secret}`, `list ${home}`, `write ${secret}`, "device"];
    const given = ["--read", secret, "--device", "/dev/null", "--read", "/none/such"];
    expect(await rig.tries(given, lines)).toEqual({
      [`read ${secret}`]: "ok",
      [`list ${home}`]: "EACCES",
      [`write ${secret}`]: "EACCES",
      device: "ok",
    });
  });

  test("sees nothing of other processes where it may look at itself", async () => {
    const denied = ["cmdline", "stat", "environ", "maps"].map((name) => `read /proc/${process.pid}/${name}`);
    const own = ["read /proc/self/cmdline", "read /proc/self/maps", "list /proc/self/task"];
    expect(await rig.tries(["--read", "/proc/self"], [...own, ...denied, "list /proc"])).toEqual({
      ...all(own, "ok"),
      ...all([...denied, "list /proc"], "EACCES"),
    });
  });

  test("connects to the one port over TCP, and speaks and listens in no other way", async () => {
    const [ours, other] = ports;
    const one = [`connect 127.0.0.1 ${ours}`, `connect 127.0.0.1 ${other}`];
    expect(await rig.tries(["--connect", String(ours)], one)).toEqual({
      [one[0]!]: "ok",
      [one[1]!]: "EACCES",
    });
    expect(await rig.tries([], one)).toEqual(all(one, "EACCES"));
    const lines = ["udp", "unix", "raw", `multipath 127.0.0.1 ${ours}`, `fastopen 127.0.0.1 ${ours}`];
    expect(await rig.tries(["--connect", String(ours)], lines)).toEqual(all(lines, "EPERM"));
    expect(await rig.tries(["--connect", String(ours)], ["bind"])).toEqual({ bind: "EACCES" });
  });

  test("starts threads, but no process, signals nobody and looks into nobody", async () => {
    const others = [`signal ${process.pid}`, `trace ${process.pid}`, "fork", "io_uring"];
    expect(await rig.tries([], ["thread", ...others])).toEqual({ thread: "ok", ...all(others, "EPERM") });
    expect(await rig.tries(["--may-fork"], ["fork", "thread"])).toEqual({ fork: "ok", thread: "ok" });
  });

  test("changes nothing about another process, nor has it signalled, also where it may start some", async () => {
    const lines = [...touching(process.pid), "touch group-priority 0"];
    for (const options of [[], ["--may-fork"]])
      expect(await rig.tries(options, lines)).toEqual(all(lines, "EPERM"));
    const own = touching(0).filter((line) => !line.includes("own"));
    expect(await rig.tries([], own)).toEqual(all(own, "ok"));
  });

  test("encodes with as many threads as it likes", async () => {
    const ffmpeg = realpathSync(Bun.which("ffmpeg") ?? "ffmpeg");
    for (const encoder of ["libx264", "libx265"]) {
      const made = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=24:duration=1", "-c:v", encoder];
      const argv = ["-v", "error", "-nostdin", ...made, "-preset", "ultrafast", "-threads", "6"];
      const options = [
        "--parent",
        String(process.pid),
        ...SYSTEM,
        "--run",
        ffmpeg,
        "--read",
        "/etc/ld.so.cache",
      ];
      const line = [...options, "--", ffmpeg, "ffmpeg", ...argv, "-f", "matroska", "pipe:1"];
      const { code, stdout } = await rig.run(line);
      expect([encoder, code]).toEqual([encoder, 0]);
      expect(stdout.length).toBeGreaterThan(5_000);
    }
  });

  test("still crashes by the signal of its crash", async () => {
    for (const [behaviour, signal] of [
      ["abort", "SIGABRT"],
      ["crash", "SIGSEGV"],
    ] as const) {
      const child = Bun.spawn([exec, ...rig.words([], behaviour)], { stdio: ["ignore", "ignore", "ignore"] });
      await child.exited;
      expect(child.signalCode).toBe(signal);
    }
  });

  test.skipIf(!canDrop)("is as confined where the server has no privilege at all", async () => {
    const dropped = [
      "setpriv",
      `--reuid=${NOBODY}`,
      `--regid=${NOBODY}`,
      "--clear-groups",
      "--bounding-set=-all",
      "--inh-caps=-all",
      "--no-new-privs",
    ];
    const [ours, other] = ports;
    const denied = [`read ${secret}`, "read /etc/passwd", `connect 127.0.0.1 ${other}`];
    const lines = [...denied, `connect 127.0.0.1 ${ours}`];
    expect(await rig.tries(["--connect", String(ours), "--address-mib", "2048"], lines, dropped)).toEqual({
      ...all(denied, "EACCES"),
      [`connect 127.0.0.1 ${ours}`]: "ok",
    });
    expect(await startsFfmpeg(dropped)).toStartWith("ffmpeg version ");
    const capless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    expect(await rig.tries([], denied, capless)).toEqual(all(denied, "EACCES"));
  });
});

describe.skipIf(!hasProgram("strace"))("on a kernel that has less", () => {
  /** As if Landlock's version were another one; 0: none. */
  const pretending = (version: number) => [
    ...["strace", "-D", "-qq", "-o", "/dev/null", "-e"],
    version === 0
      ? "inject=landlock_create_ruleset:error=ENOSYS"
      : `inject=landlock_create_ruleset:retval=${version}:when=1`,
  ];

  test("without Landlock the filter of calls is all, and --check tells", async () => {
    expect((await rig.run(["--check"], pretending(0))).stdout).toStartWith("landlock 0\n");
    expect(await rig.tries([], [`read ${secret}`, "fork", "udp"], pretending(0))).toEqual({
      [`read ${secret}`]: "ok",
      fork: "EPERM",
      udp: "EPERM",
    });
  });

  for (const version of [1, 2, 3, 4, 5, 6]) {
    test(`version ${version} of Landlock keeps it from files${version < 4 ? "" : " and ports"}`, async () => {
      const [ours, other] = ports;
      const files = [`read ${secret}`, `write ${secret}`, `unlink ${secret}`, "exec /usr/bin/true"];
      const options = ["--connect", String(ours), "--device", "/dev/null"];
      expect(
        await rig.tries(options, [...files, "device", `connect 127.0.0.1 ${ours}`], pretending(version)),
      ).toEqual({
        ...all(files, "EACCES"),
        device: "ok",
        [`connect 127.0.0.1 ${ours}`]: "ok",
      });
      const line = `connect 127.0.0.1 ${other}`;
      expect(await rig.tries(options, [line], pretending(version))).toEqual({
        [line]: version < 4 ? "ok" : "EACCES",
      });
    });
  }

  describe("without close_range all descriptors are closed, and at once however many there may be,", () => {
    const without = ["strace", "-D", "-qq", "-o", "/dev/null", "-e", "trace=close_range"];
    const failing = [...without, "-e", "inject=close_range:error=ENOSYS"];
    const leaving = [
      "/bin/bash",
      "-c",
      'ulimit -n $(ulimit -Hn); exec 5</etc/passwd 900</etc/passwd; exec "$@"',
      "bash",
    ];
    const answers = {
      "descriptor 0": "ok",
      "descriptor 2": "ok",
      ...all(["descriptor 5", "descriptor 900"], "EBADF"),
    };

    test("as /proc lists them", async () => {
      const counted = join(home, "closed");
      const counting = ["strace", "-D", "-qq", "-c", "-o", counted, "-e", "trace=close,close_range"];
      expect(
        await rig.tries([], Object.keys(answers), [
          ...counting,
          "-e",
          "inject=close_range:error=ENOSYS",
          ...leaving,
        ]),
      ).toEqual(answers);
      while (!existsSync(counted) || readFileSync(counted, "utf8") === "") await Bun.sleep(5);
      expect(Number(/(\d+)\s+\d*\s*close$/m.exec(readFileSync(counted, "utf8"))?.[1])).toBeLessThan(100);
    });

    test.skipIf(!canDrop)("one after the other where there is no /proc", async () => {
      const hiding = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"];
      expect(await rig.tries([], Object.keys(answers), [...hiding, ...failing, ...leaving])).toEqual(answers);
    });
  });

  test("without a filter of calls it is started all the same, and --check tells", async () => {
    const failing = (calls: string) => [
      "strace",
      "-D",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      `inject=prctl:error=EINVAL${calls}`,
    ];
    expect((await rig.run(["--check"], failing(""))).stdout).toEndWith("call_filter 0\n");
    // The first two are the parent's death and no_new_privs.
    expect(await rig.tries([], ["fork", `read ${secret}`], failing(":when=3+"))).toEqual({
      fork: "ok",
      [`read ${secret}`]: "EACCES",
    });
  });
});
