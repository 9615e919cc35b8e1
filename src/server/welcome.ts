// What a start says on standard output: address and login, one line each.

import type { NetworkInterfaceInfo } from "node:os";
import type { Config } from "../config/index.ts";
import type { OpenedAccess } from "../services/access/index.ts";

export interface WelcomeOptions {
  readonly config: Config;
  readonly port: number;
  readonly username: string;
  readonly generatedPassword: OpenedAccess["generatedPassword"];
  readonly passwordSource: OpenedAccess["source"];
  /** This machine's address in its network, or null when none is worth telling. */
  readonly lanAddress: string | null;
}

const EVERYWHERE: readonly string[] = ["0.0.0.0", "::"];
/** Interfaces behind which no other machine of the household is. */
const VIRTUAL = /^(docker|br-|veth|virbr|vmnet|cni|podman|lxc|tun|tap|wg|tailscale|zt)/;
const PRIVATE_V4 = /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\./;

/** Two lines. */
export function welcome(options: WelcomeOptions): string {
  return `TorrX is ready: ${addressLine(options)}\nLogin: ${options.username} ${passwordWords(options)}`;
}

function addressLine({ config, port, lanAddress }: WelcomeOptions): string {
  const { host } = config.server;
  if (!EVERYWHERE.includes(host)) return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const others = lanAddress === null ? "" : ` (on your network: http://${lanAddress}:${port})`;
  return `http://localhost:${port}${others}`;
}

function passwordWords({ generatedPassword, passwordSource }: WelcomeOptions): string {
  if (generatedPassword !== null) {
    return `/ ${generatedPassword.text}  (made now and shown once; torrx passwd sets another)`;
  }
  switch (passwordSource) {
    case "generated":
      return "with the password that the first start made and showed (torrx passwd sets a new one)";
    case "config":
      return "with the password of the configuration";
    case "user":
      return "with the password that you set (torrx passwd sets a new one)";
  }
}

/** The first address by which others of a home network reach this machine; IPv4, as it is typed into a TV. */
export function lanAddressOf(
  interfaces: Readonly<Record<string, NetworkInterfaceInfo[] | undefined>>,
): string | null {
  return (
    Object.entries(interfaces)
      .filter(([name]) => !VIRTUAL.test(name))
      .flatMap(([, addresses]) => addresses ?? [])
      .find(({ address, internal, family }) => !internal && family === "IPv4" && PRIVATE_V4.test(address))
      ?.address ?? null
  );
}
