// What a program may do, in the words of native/exec. The list is short because its input is hostile: its own code and
// the system's libraries, and one port of this machine. No folder with anybody's data in it is ever named
// for a program that has an input.

import { availableParallelism } from "node:os";
import { LIMITS } from "../../base/limits.ts";
import type { StartOptions } from "../ports.ts";
import type { ProgramFile } from "./program-file.ts";

/** Where systems keep libraries and what loads them; what a system does not have is left out. */
const LIBRARY_FOLDERS = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib"] as const;
/** For a program that is a script. */
export const PROGRAM_FOLDERS = ["/usr/bin", "/bin", "/usr/local/bin"] as const;

export function isSystemLibrary(path: string): boolean {
  return LIBRARY_FOLDERS.some((folder) => path.startsWith(`${folder}/`));
}

const READABLE = ["/etc/ld.so.cache", "/dev/urandom", "/sys/devices/system/cpu", "/sys/devices/system/node"];
/** How drivers find a device and its settings. */
const READABLE_WITH_DEVICES = [
  ...["/sys", "/usr/share", "/etc/vulkan", "/etc/drirc"],
  // Of /proc nothing about other processes: their command lines say where they read, and with which token.
  ...["/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/version"],
  ...["/proc/devices", "/proc/modules", "/proc/driver", "/proc/sys/vm", "/proc/sys/dev"],
];

/** Behind the server and the native threads, so that a viewer's bytes come first; encodes have the last turn. */
const NICE = { encode: 10, other: 5 };

/** What this kernel offers. */
export interface Sandbox {
  /** Which files are opened; 0 where nothing restricts it. */
  readonly landlock: number;
  /** Which system calls are made. */
  readonly hasCallFilter: boolean;
}

const LANDLOCK_WITH_PORTS = 4;

/** Answer of `torrx-exec --check`; null where it is none. */
export function parseSandbox(text: string): Sandbox | null {
  const found = /^landlock (\d+)\ncall_filter ([01])\n$/.exec(text);
  if (found === null) return null;
  return { landlock: Number(found[1]), hasCallFilter: found[2] === "1" };
}

/** One sentence for the user, where this kernel cannot do all of it. */
export function sandboxWarning({ landlock, hasCallFilter }: Sandbox): string | null {
  if (landlock === 0) {
    return "This system's kernel has no Landlock: a manipulated video could read files through an error in FFmpeg.";
  }
  if (!hasCallFilter) {
    return "This system's kernel filters no system calls: FFmpeg is kept from files, but not from all of the network.";
  }
  return landlock < LANDLOCK_WITH_PORTS
    ? "This system's kernel is older than 6.7: FFmpeg is kept from files, but not from all of the network."
    : null;
}

export interface ExecOptions extends StartOptions {
  /** This process. */
  readonly parent: number;
  /** null: none may be connected to. */
  readonly port: number | null;
}

/** Arguments of torrx-exec up to the program's own. */
export function sandboxWords(file: ProgramFile, options: ExecOptions): string[] {
  const devices = options.devices ?? [];
  const readable = devices.length > 0 ? [...READABLE, ...READABLE_WITH_DEVICES] : READABLE;
  return [
    ...["--parent", String(options.parent)],
    ...["--nice", String(options.isEncode ? NICE.encode : NICE.other)],
    // Drivers reserve as much address space as there is.
    ...(devices.length > 0 ? [] : ["--address-mib", String(addressMib(options.isEncode))]),
    ...(options.port === null ? [] : ["--connect", String(options.port)]),
    ...each("--run", [...LIBRARY_FOLDERS, ...file.runnable]),
    ...each("--read", readable),
    ...each("--device", ["/dev/null", ...devices]),
    ...(file.isScript ? ["--may-fork"] : []),
    ...["--", file.path, file.name],
  ];
}

/**
 * For asking the loader what the program loads, from wherever it lies: it may read everything then, but has no port, no
 * device and nothing hostile to read. What comes behind `--` is a program that is static or knows no such question.
 */
export function listingWords(path: string, name: string, parent: number): string[] {
  return [
    ...["--parent", String(parent), "--nice", String(NICE.other)],
    ...["--address-mib", String(addressMib(false))],
    ...["--run", "/", "--list-libraries"],
    ...["--", path, name, "-version"],
  ];
}

function addressMib(isEncode: boolean): number {
  const { addressMib: base, encodeAddressMib, addressMibPerCore } = LIMITS.program;
  return (isEncode ? encodeAddressMib : base) + addressMibPerCore * availableParallelism();
}

function each(option: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [option, value]);
}
