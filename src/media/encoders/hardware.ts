// Devices that can encode video, as the kernel shows them.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemCodeOf } from "../../base/errors.ts";

export interface HardwareDevices {
  /** /dev/dri/renderD128 … of Intel and AMD. */
  readonly render: readonly string[];
  /** /dev/nvidia0, /dev/nvidiactl …, or /dev/dxg of WSL. */
  readonly nvidia: readonly string[];
}

export async function listHardware(folder = "/dev"): Promise<HardwareDevices> {
  const dri = join(folder, "dri");
  const pathsIn = async (place: string, name: RegExp) =>
    (await entriesOf(place))
      .filter((entry) => name.test(entry))
      .sort()
      .map((entry) => join(place, entry));
  return { render: await pathsIn(dri, /^renderD\d+$/), nvidia: await pathsIn(folder, /^(nvidia|dxg$)/) };
}

async function entriesOf(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "EACCES" || code === "ENOTDIR") return [];
    throw error;
  }
}

/** What a sandbox has to leave open for an encoder. */
export function devicesOf(
  encoderKind: "x264" | "nvenc" | "vaapi" | "qsv",
  hardware: HardwareDevices,
): readonly string[] {
  if (encoderKind === "x264") return [];
  return encoderKind === "nvenc" ? hardware.nvidia : hardware.render;
}
