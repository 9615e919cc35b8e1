import { envNameOf, KEY_NAMES, type KeyName } from "./keys.ts";
import type { Config } from "./load.ts";
import type { HostPort } from "./values.ts";

/** The whole configuration for `torrx check-config`, one line a key; the password is told only as set or not. */
export function describeConfig(config: Config): string[] {
  const head = config.file === null ? "no configuration file; defaults and environment" : config.file;
  const lines = KEY_NAMES.map((name) => `${name} = ${shown(config, name)}${originOf(config, name)}`);
  return [head, ...lines, ...config.warnings.map((warning) => `warning: ${warning}`)];
}

function originOf(config: Config, name: KeyName): string {
  const origin = config.origins[name];
  if (origin === "default") return "  (default)";
  return origin === "environment" ? `  (${envNameOf(name)})` : "";
}

function shown(config: Config, name: KeyName): string {
  if (name === "auth.password") return config.auth.password === null ? "generated at first start" : "(set)";
  const [section, key] = name.split(".") as [keyof Config, string];
  const property = key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const value = (config[section] as Record<string, unknown>)[property];
  return Array.isArray(value) ? `[${value.map(itemText).join(", ")}]` : String(value);
}

function itemText(item: string | HostPort): string {
  if (typeof item === "string") return item;
  return item.host.includes(":") ? `[${item.host}]:${item.port}` : `${item.host}:${item.port}`;
}
