import { describe, expect, test } from "bun:test";
import { TorrxError } from "../../../src/base/errors.ts";
import {
  type Config,
  type ConfigSources,
  envNameOf,
  KEY_NAMES,
  loadConfig,
} from "../../../src/config/index.ts";

const CWD = "/srv/torrx";

interface Given {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly configPath?: string;
}

function sourcesOf(given: Given): ConfigSources {
  return {
    configPath: given.configPath ?? null,
    env: given.env ?? {},
    cwd: CWD,
    readFile: (path) => {
      const text = given.files?.[path];
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return text;
    },
  };
}

const load = (given: Given): Config => loadConfig(sourcesOf(given));
const fromYaml = (yaml: string): Config => load({ files: { [`${CWD}/torrx.yaml`]: yaml } });

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(TorrxError);
    expect((error as TorrxError).code).toBe("config_invalid");
    expect((error as TorrxError).message).not.toContain("\n");
    return (error as TorrxError).message;
  }
  throw new Error("it was accepted");
}

describe("sources", () => {
  test("without file and environment everything has its default, paths below the working directory", () => {
    const config = load({});
    expect(config.file).toBeNull();
    expect(config.server).toEqual({ host: "0.0.0.0", port: 8080, allowedHosts: [] });
    expect(config.auth).toEqual({ username: "admin", password: null });
    expect(config.storage).toEqual({
      downloadDir: "/srv/torrx/data/downloads",
      dbPath: "/srv/torrx/data/torrx.db",
      tempDir: "/srv/torrx/data/tmp",
    });
    expect(config.ffmpeg.binaryPath).toBe("ffmpeg");
    expect(config.torrent).toMatchObject({ port: 51414, dht: true, allowLoopbackPeers: false });
    expect(config.torrent.dhtBootstrap.length).toBeGreaterThan(2);
    expect(config.log.level).toBe("info");
    expect(Object.values(config.origins).every((origin) => origin === "default")).toBe(true);
  });

  test("the file is looked for in ./, then ./config, then /config; the first one wins alone", () => {
    const files = {
      "/config/torrx.yaml": "server: {port: 3}",
      [`${CWD}/config/torrx.yaml`]: "server: {port: 2}",
      [`${CWD}/torrx.yaml`]: "log: {level: debug}",
    };
    expect(load({ files })).toMatchObject({ file: `${CWD}/torrx.yaml`, server: { port: 8080 } });
    const { [`${CWD}/torrx.yaml`]: _, ...two } = files;
    expect(load({ files: two }).server.port).toBe(2);
    expect(load({ files: { "/config/torrx.yaml": "server: {port: 3}" } }).server.port).toBe(3);
  });

  test("--config names the only file, relative to the working directory, and it must be there", () => {
    const files = { [`${CWD}/torrx.yaml`]: "server: {port: 2}", [`${CWD}/my.yaml`]: "server: {port: 4}" };
    expect(load({ files, configPath: "my.yaml" }).server.port).toBe(4);
    expect(refusal(() => load({ files, configPath: "gone.yaml" }))).toBe(
      `${CWD}/gone.yaml: cannot be read: there is no such file`,
    );
  });

  test("a file that exists but cannot be read stops the start instead of being passed over", () => {
    const denied = {
      ...sourcesOf({}),
      readFile: () => {
        throw Object.assign(new Error("denied"), { code: "EACCES" });
      },
    };
    expect(refusal(() => loadConfig(denied))).toContain("EACCES");
  });

  test("an empty file, an empty section and a blank key mean the default", () => {
    for (const text of ["", "# nothing\n", "server:\nlog:\n", "server:\n  port:\n"]) {
      expect(fromYaml(text).server.port).toBe(8080);
    }
  });

  test("the environment wins over the file and an empty variable counts as not set", () => {
    const files = { [`${CWD}/torrx.yaml`]: "server: {port: 2}\nauth: {password: filepw}" };
    const config = load({ files, env: { TORRX_SERVER_PORT: "9000", TORRX_AUTH_PASSWORD: "" } });
    expect(config.server.port).toBe(9000);
    expect(config.auth.password).toBe("filepw");
    expect(config.origins["server.port"]).toBe("environment");
    expect(config.origins["auth.password"]).toBe("file");
  });

  test("every key has a variable that works", () => {
    const samples: Record<string, string> = {
      "server.host": "127.0.0.1",
      "server.port": "1",
      "server.allowed_hosts": "a.example, B.example.",
      "auth.username": "ann",
      "auth.password": "secret",
      "storage.download_dir": "/x/d",
      "storage.db_path": "/x/db",
      "storage.temp_dir": "/x/t",
      "ffmpeg.binary_path": "/x/ffmpeg",
      "torrent.port": "0",
      "torrent.dht": "false",
      "torrent.dht_bootstrap": "10.0.0.1:6881,[fd00::1]:1",
      "torrent.allow_loopback_peers": "true",
      "torrent.allow_private_urls": "true",
      "torrent.arena_mb": "16",
      "log.level": "debug",
    };
    expect(Object.keys(samples)).toEqual([...KEY_NAMES]);
    const env = Object.fromEntries(KEY_NAMES.map((name) => [envNameOf(name), samples[name] ?? ""]));
    expect(Object.keys(env)).toContain("TORRX_FFMPEG_PATH");
    const config = load({ env });
    expect(config.warnings).toEqual([]);
    expect(new Set(Object.values(config.origins))).toEqual(new Set(["environment"]));
    expect(config.server.allowedHosts).toEqual(["a.example", "b.example"]);
    expect(config.torrent.dhtBootstrap).toEqual([
      { host: "10.0.0.1", port: 6881 },
      { host: "fd00::1", port: 1 },
    ]);
    expect(config.torrent).toMatchObject({ port: 0, dht: false, allowLoopbackPeers: true });
  });

  test("an unknown TORRX_ variable is a warning that names the nearest one; variables of tests are none", () => {
    const config = load({ env: { TORRX_SERVER_PRT: "1", TORRX_TEST_ALL: "1", PATH: "/bin" } });
    expect(config.warnings).toEqual([
      "environment variable TORRX_SERVER_PRT is unknown and ignored (did you mean TORRX_SERVER_PORT?)",
    ]);
  });

  test("the configuration is frozen through and through", () => {
    const config = fromYaml("server: {allowed_hosts: [a.example]}");
    expect(() => Object.assign(config.server, { port: 1 })).toThrow();
    expect(() => (config.server.allowedHosts as string[]).push("b")).toThrow();
    expect(() => Object.assign(config.torrent.dhtBootstrap[0] ?? {}, { port: 1 })).toThrow();
  });
});

describe("values as people write them", () => {
  test("yes and no in every spelling, in the file and in the environment", () => {
    for (const word of ["true", "True", "YES", "on", "1", " yes "]) {
      expect(load({ env: { TORRX_TORRENT_ALLOW_PRIVATE_URLS: word } }).torrent.allowPrivateUrls, word).toBe(
        true,
      );
      expect(fromYaml(`torrent: {allow_private_urls: ${word}}`).torrent.allowPrivateUrls, word).toBe(true);
    }
    for (const word of ["false", "FALSE", "No", "off", "0"]) {
      expect(load({ env: { TORRX_TORRENT_DHT: word } }).torrent.dht, word).toBe(false);
      expect(fromYaml(`torrent: {dht: ${word}}`).torrent.dht, word).toBe(false);
    }
  });

  test("a log level in any case", () => {
    expect(fromYaml("log: {level: WARN}").log.level).toBe("warn");
    expect(load({ env: { TORRX_LOG_LEVEL: "Debug" } }).log.level).toBe("debug");
  });

  test("two ports that are both any free one", () => {
    expect(fromYaml("server: {port: 0}\ntorrent: {port: 0}").torrent.port).toBe(0);
  });
});

describe("refusals are one line with source, key, value and what is allowed", () => {
  const cases: [string, string][] = [
    [
      "server: {port: 70000}",
      "server.port: 70000 is not allowed; allowed is a whole number from 0 to 65535 (0 = any free port)",
    ],
    ["server: {port: eighty}", 'server.port: "eighty" is not allowed'],
    ["server: {port: 80.5}", "server.port: 80.5 is not allowed"],
    ["server: {host: 'a b'}", 'server.host: "a b" is not allowed'],
    ["server: {host: 256.1.1.1}", 'server.host: "256.1.1.1" is not allowed'],
    ["server: {allowed_hosts: ['https://x.example']}", "server.allowed_hosts:"],
    ["server: {allowed_hosts: {a: 1}}", "server.allowed_hosts:"],
    ["auth: {username: 'a:b'}", 'auth.username: "a:b" is not allowed'],
    ["auth: {username: 1234}", "auth.username: 1234 is not allowed"],
    [
      "torrent: {arena_mb: 15}",
      "torrent.arena_mb: 15 is not allowed; allowed is a whole number of megabytes from 16 to 4096",
    ],
    ["torrent: {arena_mb: 4097}", "torrent.arena_mb: 4097 is not allowed"],
    ["torrent: {dht: nay}", 'torrent.dht: "nay" is not allowed; allowed is true or false'],
    ["torrent: {dht: 2}", "torrent.dht: 2 is not allowed"],
    ["torrent: {dht: [true]}", "torrent.dht: [true] is not allowed"],
    ["server: {port: 51414}", "server.port and torrent.port are both 51414; they must differ"],
    [
      "storage: {download_dir: ~/films}",
      'storage.download_dir: "~/films" is not allowed; allowed is a path, written out',
    ],
    ["storage: {db_path: ~ann/torrx.db}", "written out without ~"],
    ["ffmpeg: {binary_path: ~/bin/ffmpeg}", "written out without ~"],
    [
      "server: {stream_token_ttl_hours: 1}",
      "unknown key server.stream_token_ttl_hours; stream_token_ttl_hours is a",
    ],
    [
      "max_upload_speed: 1",
      "max_upload_speed is a setting, changed in the running program with PUT /api/settings",
    ],
    ["torrent: {dht_bootstrap: ['x.example']}", "allowed is a list of host:port"],
    ["torrent: {dht_bootstrap: ['x.example:0']}", "allowed is a list of host:port"],
    ["storage: {db_path: ''}", 'storage.db_path: "" is not allowed; allowed is a path'],
    ["log: {level: loud}", "allowed is one of debug, info, warn, error, silent"],
    ["servr: {port: 1}", "unknown key servr (did you mean server?)"],
    ["server: {prt: 1}", "unknown key server.prt (did you mean server.port?)"],
    ["dht: true", "unknown key dht (did you mean torrent.dht?)"],
    ["server: {zzzzzzzzzz: 1}", "unknown key server.zzzzzzzzzz"],
    ["torrent: {pex: true}", "unknown key torrent.pex"],
    ["__proto__: {port: 1}", "unknown key __proto__"],
    ["server: 5", 'server must hold "key: value" lines'],
    ["[1, 2]", 'the file must hold "key: value" lines'],
    ["server: {port: 1}\nserver: {port: 2}", "not valid YAML (duplicate key)"],
    ["server: {port: [1", "not valid YAML"],
    ["server: &a {port: 1}\nlog: *a", "aliases"],
  ];
  for (const [yaml, expected] of cases) {
    test(JSON.stringify(yaml), () => {
      const message = refusal(() => fromYaml(yaml));
      if (!expected.includes("they must differ")) expect(message).toStartWith(`${CWD}/torrx.yaml: `);
      expect(message).toContain(expected);
    });
  }

  test("a bad variable is named as the variable", () => {
    expect(refusal(() => load({ env: { TORRX_TORRENT_DHT: "maybe" } }))).toBe(
      'TORRX_TORRENT_DHT: "maybe" is not allowed; allowed is true or false (also yes, no, on, off, 1, 0)',
    );
  });

  test("a password never appears, whatever is wrong with it or around it", () => {
    const secret = "73519922";
    for (const yaml of [
      `auth: {password: ${secret}}`,
      `auth:\n  password: [${secret}]`,
      `auth:\n  password: "${secret}\n server: {`,
      `auth:\n  password: !x ${secret}`,
      `auth:\n  password: ${secret}: ${secret}: {`,
    ]) {
      expect(refusal(() => fromYaml(yaml))).not.toContain(secret);
    }
    const message = refusal(() => load({ env: { TORRX_AUTH_PASSWORD: `${secret}\u0007` } }));
    expect(message).not.toContain(secret);
  });

  test("a long value is cut and the login in a link is blanked", () => {
    const message = refusal(() => fromYaml(`server: {host: "http://u:pw@x/${"y".repeat(500)}"}`));
    expect(message.length).toBeLessThan(300);
    expect(message).not.toContain("pw@");
  });
});
