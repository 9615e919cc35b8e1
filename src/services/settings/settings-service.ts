// The dynamic settings: defaults, then what the database holds, applied to the engine whenever they change. One update
// at a time; nothing of an update is kept unless all of it is valid and stored.

import { resolve } from "node:path";
import { describeError, TorrxError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { type TorrxDatabase, toWriteError } from "../../db/index.ts";
import type { EnginePort, EngineSettings } from "../../engine/port.ts";
import { KeyedQueue } from "../keyed-queue.ts";
import type { Settings, SettingsService } from "../ports.ts";
import type { Volume } from "../volume.ts";
import { checkSetting, SETTING_NAMES, SETTING_RULES } from "./setting-rules.ts";

export interface SettingsParts {
  readonly database: TorrxDatabase;
  readonly engine: Pick<EnginePort, "configure">;
  readonly volume: Volume;
  readonly log: Log;
  /** storage.download_dir of the configuration. */
  readonly defaultDownloadDir: string;
}

const MIB = 1024 * 1024;

/** Not settable yet: they become settings with the RAM buffer. */
const BUFFER = { ramBufferBytes: 256 * MIB, bufferAheadPercent: 80 } as const;

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

  /** Hands the settings of the start to the engine. */
  async apply(): Promise<void> {
    await this.#parts.engine.configure(engineSettings(this.#settings));
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
    const settings: Record<string, unknown> = { ...defaultSettings(resolve(this.#parts.defaultDownloadDir)) };
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

function defaultSettings(downloadDir: string): Settings {
  return {
    maxDownloadSpeed: 0,
    maxUploadSpeed: 0,
    maxConcurrentTorrents: 5,
    seedRatioLimit: 2,
    streamTokenTtlHours: 168,
    downloadDir,
  };
}

function engineSettings(settings: Settings): EngineSettings {
  const { maxDownloadSpeed, maxUploadSpeed, maxConcurrentTorrents, seedRatioLimit } = settings;
  return { maxDownloadSpeed, maxUploadSpeed, maxConcurrentTorrents, seedRatioLimit, ...BUFFER };
}
