// The door of config: what other layers may use.

export { type Arguments, type Command, parseArguments, USAGE } from "./arguments.ts";
export { describeConfig } from "./describe.ts";
export type { ReadFile } from "./file.ts";
export { envNameOf, KEY_NAMES, type KeyName } from "./keys.ts";
export { type Config, type ConfigSources, loadConfig, type Origin } from "./load.ts";
export { type HostPort, passwordProblem, readHost, usernameProblem } from "./values.ts";
