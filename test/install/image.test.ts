// The container image without Docker: its one build script runs in a freshly bootstrapped Debian root, and what comes
// out is started through the image's entrypoint. Needs root, debootstrap and a way to the package registries, so it
// belongs to --all and to no private network; the server itself is started in one.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { hasProgram } from "../support/namespace.ts";
import { runProcess, startProcess, type TestProcess } from "../support/process.ts";

const REPO = resolve(import.meta.dir, "../..");
const MINUTE_MS = 60_000;
const canRun =
  process.env["TORRX_TEST_ALL"] === "1" &&
  process.getuid?.() === 0 &&
  hasProgram("debootstrap") &&
  hasProgram("unshare");

/** What a machine behind a proxy or with its own authorities needs to reach the registries at all. */
const NETWORK_FILES = [
  "/etc/resolv.conf",
  "/etc/hosts",
  "/etc/apt/apt.conf.d",
  "/usr/local/share/ca-certificates",
];
const CERTIFICATE_VARIABLES = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "CURL_CA_BUNDLE"];

/**
 * Mounts of its own, and a network of its own when asked; then $2… as user $1 in the root. The shell stays as the
 * namespace's first process: one that becomes another user no longer dies with its parent, and all others with it.
 */
const ENTER = `
root=$1 user=$2; shift 2
ip link set lo up 2>/dev/null
mount -t proc proc "$root/proc" && mount --bind /dev "$root/dev" && chroot --userspec="$user" "$root" "$@"`;

let root = "";

interface Entering {
  readonly user?: string;
  readonly isOffline?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

function words(command: readonly string[], how: Entering): string[] {
  const own = ["--mount", "--pid", "--fork", "--kill-child", ...(how.isOffline ? ["--net"] : [])];
  return ["unshare", ...own, "sh", "-c", ENTER, "enter", root, how.user ?? "0:0", ...command];
}

function enter(command: readonly string[], how: Entering = {}): TestProcess {
  const plain = { TORRX_TEST_SEED: undefined, TORRX_TEST_ALL: undefined, HOME: "/root" };
  return startProcess(words(command, how), { env: { ...plain, ...how.env } });
}

async function inRoot(command: readonly string[], how: Entering = {}): Promise<TestProcess> {
  const child = enter(command, how);
  child.closeStdin();
  await child.waitForExit(10 * MINUTE_MS);
  return child;
}

async function mustRun(command: readonly string[], how: Entering = {}): Promise<void> {
  const child = await inRoot(command, how);
  expect(child.exitCode, child.tail()).toBe(0);
}

async function bootstrap(): Promise<void> {
  const release = /ARG DEBIAN_RELEASE=(\w+)/.exec(readFileSync(join(REPO, "Dockerfile"), "utf8"))?.[1] ?? "";
  const child = await runProcess(["debootstrap", "--variant=minbase", release, root], {
    withinMs: 10 * MINUTE_MS,
  });
  expect(child.exitCode, child.tail()).toBe(0);
  const certificates = CERTIFICATE_VARIABLES.map((name) => process.env[name] ?? "").filter(Boolean);
  for (const path of [...NETWORK_FILES, ...certificates]) {
    if (!existsSync(path)) continue;
    mkdirSync(join(root, dirname(path)), { recursive: true });
    cpSync(path, join(root, path), { recursive: true, dereference: true });
  }
}

/** What the Dockerfile copies in: the repository as far as .dockerignore lets it through. */
async function copySource(): Promise<void> {
  // Not for the image: a machine of somebody who cloned the repository is tried in the same root.
  const launcher = "torrx";
  const allowed = readFileSync(join(REPO, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
  const list = await runProcess(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", ...allowed],
    {
      cwd: REPO,
    },
  );
  for (const name of [launcher, ...list.stdoutLines].filter((line) => existsSync(join(REPO, line)))) {
    mkdirSync(join(root, "source", dirname(name)), { recursive: true });
    cpSync(join(REPO, name), join(root, "source", name));
  }
}

/** Starts the entrypoint and gives it back once the health check of the image is content. */
async function startImage(how: Entering): Promise<TestProcess> {
  const script = `/app/scripts/image-entrypoint.sh start & server=$!
trap 'kill $server; wait $server; echo "ended with $?"; exit' TERM
i=0; until (cd / && /app/bin/bun --no-env-file /app/scripts/image-health.ts 2>/dev/null); do
  i=$((i + 1)); [ $i -lt 50 ] || exit 9; kill -0 $server || exit 8; sleep 0.2
done
grep -E '^(Uid|Gid|Groups|CapEff|NoNewPrivs):' /proc/$server/status
echo healthy; wait $server`;
  const child = enter(["sh", "-c", script], {
    ...how,
    isOffline: true,
    env: { TORRX_TORRENT_DHT: "false", ...how.env },
  });
  await child.waitForLine("healthy", 20_000);
  return child;
}

function resetVolumes(): void {
  for (const name of ["data", "config"]) {
    rmSync(join(root, name), { recursive: true, force: true });
    mkdirSync(join(root, name));
  }
}

describe.skipIf(!canRun)("the image", () => {
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "torrx-image-"));
    // It becomes "/" for users who are not root.
    chmodSync(root, 0o755);
    await bootstrap();
    await copySource();
    await mustRun(["/source/scripts/image-build.sh", "build-packages"]);
    await mustRun(["useradd", "--create-home", "build"]);
    await mustRun(["sh", "-c", "chown -R build /source && install -d -o build /app"]);
    await mustRun(["/source/scripts/image-build.sh", "app", "/app"], {
      user: "build:build",
      env: { HOME: "/home/build" },
    });
    // The image's last stage never had what the first one builds with.
    await mustRun(["apt-get", "purge", "-y", "--autoremove", "g++", "nodejs", "npm"]);
    await mustRun(["/source/scripts/image-build.sh", "run-packages"]);
  }, 25 * MINUTE_MS);
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("becomes healthy as PUID:PGID without any capability, and the volume is that user's", async () => {
    resetVolumes();
    writeFileSync(join(root, "data", "was-here"), "");
    const child = await startImage({ env: { PUID: "1234", PGID: "1235" } });
    expect(child.stdout).toMatch(/Uid:\t1234\t1234\t1234\t1234/);
    expect(child.stdout).toMatch(/Gid:\t1235\t1235\t1235\t1235/);
    expect(child.stdout).toMatch(/Groups:\t\s*\n/);
    expect(child.stdout).toMatch(/CapEff:\t0+\n/);
    expect(child.stdout).toMatch(/NoNewPrivs:\t1/);
    expect([statSync(join(root, "data")).uid, statSync(join(root, "data", "was-here")).gid]).toEqual([
      1234, 1235,
    ]);
    await child.stop("SIGKILL");
  });

  test("becomes healthy when the container is started as another user from the outset", async () => {
    resetVolumes();
    await mustRun(["chown", "4321:4321", "/data"]);
    const child = await startImage({ user: "4321:4321" });
    expect(child.stdout).toMatch(/Uid:\t4321/);
    await child.stop("SIGKILL");
  });

  test("has its native addon and no compiler", async () => {
    expect(existsSync(join(root, "app/.setup/native/torrx.node"))).toBe(true);
    const exec = await inRoot(["/app/.setup/native/torrx-exec", "--check"], { user: "build:build" });
    expect([exec.exitCode, exec.stdout]).toEqual([0, expect.stringMatching(/^landlock \d+\n/)]);
    const compilers = await inRoot(["sh", "-c", "command -v g++ c++ gcc cc clang++ make"]);
    expect(compilers.stdout).toBe("");
  });

  test(
    "a clone on a machine without a compiler says how to get one, and root's set-up gets it",
    async () => {
      rmSync(join(root, "source/.setup/native"), { recursive: true });
      const asUser = await inRoot(["/source/torrx", "build"], { user: "build:build" });
      expect([asUser.exitCode, asUser.stderrLines]).toEqual([
        1,
        ["torrx: a C++ compiler is missing; fix: apt-get install -y --no-install-recommends g++"],
      ]);
      const asRoot = await inRoot(["/source/torrx", "build"]);
      expect([asRoot.exitCode, asRoot.stderrLines]).toEqual([
        0,
        [
          "torrx: installing a C++ compiler",
          "torrx: building the native addon",
          "torrx: ready: ./torrx start",
        ],
      ]);
      expect(existsSync(join(root, "source/.setup/native/torrx.node"))).toBe(true);
    },
    10 * MINUTE_MS,
  );

  test("needs of root no more than docker-compose.yml leaves it", async () => {
    resetVolumes();
    const compose = readFileSync(join(REPO, "docker-compose.yml"), "utf8");
    const names = /cap_add: \[([^\]]+)\]/.exec(compose)?.[1]?.toLowerCase().split(", ") ?? [];
    const bound = ["-all", ...names.map((name) => `+${name}`)].join(",");
    const caged = ["setpriv", `--bounding-set=${bound}`, "--inh-caps=-all", "--no-new-privs"];
    const child = await inRoot([...caged, "/app/scripts/image-entrypoint.sh", "--version"], {
      env: { PUID: "1234" },
    });
    expect(child.stderr).toBe("");
    expect(child.exitCode).toBe(0);
  });

  test("says in one line that a volume is not writable", async () => {
    const readOnly = `mount -t tmpfs -o ro none /data && exec /app/scripts/image-entrypoint.sh`;
    const child = await inRoot(["sh", "-c", readOnly]);
    expect(child.exitCode).toBe(1);
    expect(child.stderrLines).toHaveLength(1);
    expect(child.stderr).toContain("torrx: /data is not writable for user 1000:1000; fix: ");
  });

  test("refuses to run TorrX as root, and numbers that are none", async () => {
    for (const env of [{ PUID: "0" }, { PGID: "0" }, { PUID: "me" }] as Record<string, string>[]) {
      const child = await inRoot(["/app/scripts/image-entrypoint.sh"], { env });
      expect([child.exitCode, child.stderrLines.length]).toEqual([1, 1]);
    }
  });

  test(
    "has a docker-compose.yml that compose accepts",
    async () => {
      cpSync(join(REPO, "docker-compose.yml"), join(root, "source", "docker-compose.yml"));
      await mustRun(
        ["sh", "-c", "apt-get update && apt-get install -y --no-install-recommends docker-compose"],
        {
          env: { DEBIAN_FRONTEND: "noninteractive" },
        },
      );
      const child = await inRoot(["sh", "-c", "cd /source && docker-compose config"]);
      expect(child.exitCode, child.tail()).toBe(0);
      expect(child.stdout.match(/published: "?51414/g)).toHaveLength(2);
    },
    10 * MINUTE_MS,
  );
});
