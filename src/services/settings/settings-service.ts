// The dynamic settings: defaults, then what the database holds, applied to engine and windows whenever they change. One
// update at a time; nothing of an update is kept unless all of it is valid and stored.

import { resolve } from "node:path";
import { describeError, TorrxError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { type TorrxDatabase, toWriteError } from "../../db/index.ts";
import type { EnginePort, EngineSettings } from "../../engine/port.ts";
import type { StreamBuffers } from "../../stream/ports.ts";
import { KeyedQueue } from "../keyed-queue.ts";
import type { Settings, SettingsService } from "../ports.ts";
import type { Volume } from "../volume.ts";
import { checkSetting, RAM_MB_MIN, SETTING_NAMES, SETTING_RULES } from "./setting-rules.ts";

export interface SettingsParts {
  readonly database: TorrxDatabase;
  readonly engine: Pick<EnginePort, "configure">;
  readonly buffers: Pick<StreamBuffers, "resize">;
  readonly volume: Volume;
  readonly log: Log;
  /** What this process may use, for the default of ram_total_mb. */
  readonly memoryBytes: number;
  /** storage.download_dir of the configuration. */
  readonly defaultDownloadDir: string;
}

const MIB = 1024 * 1024;

export class StoredSettings implements SettingsService {
  readonly #parts: SettingsParts;
  readonly #queue = new KeyedQueue<"settings">();
  #settings: Settings;

  constructor(parts: SettingsParts) {
    this.#parts = parts;
    this.#settings = this.#load();
  }

  get(): Settings {
    return this.#settings;
  }

  /** Hands the settings of the start to the engine and the windows. */
  async apply(): Promise<void> {
    const settings = engineSettings(this.#settings);
    this.#parts.buffers.resize(settings);
    await this.#parts.engine.configure(settings);
  }

  update(patch: Partial<Settings>): Promise<Settings> {
    return this.#queue.run("settings", () => this.#update(patch));
  }

  async #update(patch: Partial<Settings>): Promise<Settings> {
    const changed = SETTING_NAMES.filter((name) => patch[name] !== undefined);
    for (const name of changed) checkSetting(name, patch[name]);
    const given = Object.fromEntries(changed.map((name) => [name, patch[name]])) as Partial<Settings>;
    const next: Settings = { ...this.#settings, ...given };
    const settings = { ...next, downloadDir: resolve(next.downloadDir) };
    if (patch.downloadDir !== undefined) await this.#checkWritable(settings.downloadDir);
    this.#store(changed, settings);
    this.#settings = settings;
    await this.apply();
    return settings;
  }

  #store(names: readonly (keyof Settings)[], settings: Settings): void {
    const { database } = this.#parts;
    const putAll = () => {
      for (const name of names) database.settings.put(SETTING_RULES[name].key, settings[name]);
    };
    try {
      database.write(putAll, { durable: true });
    } catch (error) {
      throw toWriteError(error);
    }
  }

  async #checkWritable(directory: string): Promise<void> {
    try {
      await this.#parts.volume.ensureWritable(directory);
    } catch (error) {
      const { key } = SETTING_RULES.downloadDir;
      throw new TorrxError("validation", `${key} must be a folder that TorrX can write to.`, {
        cause: error,
      });
    }
  }

  /** A stored value that is no longer allowed (a damaged row, tighter rules) gives way to its default. */
  #load(): Settings {
    const stored = this.#parts.database.settings.all();
    const settings: Record<string, unknown> = { ...defaultSettings(this.#parts) };
    for (const name of SETTING_NAMES) {
      const { key } = SETTING_RULES[name];
      const value = stored.get(key);
      if (value === undefined) continue;
      try {
        checkSetting(name, value);
        settings[name] = value;
      } catch (error) {
        this.#parts.log.warn("a stored setting is not used", { key, error: describeError(error) });
      }
    }
    return settings as unknown as Settings;
  }
}

function defaultSettings({
  defaultDownloadDir,
  memoryBytes,
}: Pick<SettingsParts, "defaultDownloadDir" | "memoryBytes">): Settings {
  return {
    maxDownloadSpeed: 0,
    maxUploadSpeed: 0,
    maxConcurrentTorrents: 5,
    seedRatioLimit: 2,
    streamTokenTtlHours: 168,
    ramBufferMb: 256,
    ramTotalMb: defaultRamTotalMb(memoryBytes),
    bufferAheadPercent: 80,
    hlsSegmentDurationSec: 4,
    downloadDir: resolve(defaultDownloadDir),
  };
}

/** A quarter of the memory there is, and not more than a gigabyte: others live here too. */
function defaultRamTotalMb(memoryBytes: number): number {
  return Math.max(RAM_MB_MIN, Math.min(1_024, Math.floor(memoryBytes / 4 / MIB)));
}

function engineSettings(settings: Settings): EngineSettings {
  const { maxDownloadSpeed, maxUploadSpeed, maxConcurrentTorrents, seedRatioLimit } = settings;
  const { ramBufferMb, ramTotalMb, bufferAheadPercent } = settings;
  return {
    maxDownloadSpeed,
    maxUploadSpeed,
    maxConcurrentTorrents,
    seedRatioLimit,
    ramBufferBytes: ramBufferMb * MIB,
    ramTotalBytes: ramTotalMb * MIB,
    bufferAheadPercent,
  };
}
