// Puts the media services together, and takes them apart: what they start (sessions, runs, programs, the folder of
// segments) ends before the front does, so that no answer waits for what will not come.

import type { InfoHash } from "../../base/brand.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { DeferredWrites, TorrxDatabase } from "../../db/index.ts";
import type { EnginePort } from "../../engine/port.ts";
import {
  deliveryOf,
  type ListedFile,
  probeFile,
  readMediaIndex,
  type SupervisedPrograms,
  unlessAborted,
} from "../../media/index.ts";
import type { ReaderId } from "../../stream/ports.ts";
import type { SettingsService, StreamsService } from "../ports.ts";
import type { Catalogue } from "../torrents/catalogue.ts";
import type { Volume } from "../volume.ts";
import type { Warning, WarningBoard } from "../warnings.ts";
import type { DeliveryParts } from "./delivery.ts";
import { Fallback } from "./fallback.ts";
import { FilmSubtitles } from "./film-subtitles.ts";
import { HeldRequests } from "./held-requests.ts";
import { MediaLibrary } from "./library.ts";
import { LoopbackInputs } from "./loopback-inputs.ts";
import { MachineFacts } from "./machine-facts.ts";
import { Making } from "./making.ts";
import { Media } from "./media-service.ts";
import { type OpeningParts, SessionOpening } from "./opening.ts";
import { PlayerRequests } from "./player-requests.ts";
import type { MediaFile, MediaReading } from "./ports.ts";
import { ProgramsCheck } from "./programs-check.ts";
import { Sessions } from "./sessions.ts";
import { toldPrograms } from "./told-programs.ts";
import type { MediaService } from "./views.ts";

/** What the composition gives, besides the services. */
export interface MediaOptions {
  readonly programs: SupervisedPrograms;
  /** Scheme, host and port under which this machine reaches the front. */
  readonly ownOrigin: () => string;
  /** storage.temp_dir. */
  readonly tempDir: string;
  readonly nextReaderId: () => ReaderId;
  readonly random: Random;
  /** Links stopped working, and with them the addresses that players were given. Returns what stops listening. */
  readonly onRevoked: (listener: () => void) => () => void;
}

export interface MediaContext extends MediaOptions {
  readonly database: Pick<TorrxDatabase, "media" | "state">;
  readonly writes: Pick<DeferredWrites, "put">;
  readonly engine: Pick<EnginePort, "streams">;
  readonly streams: StreamsService;
  readonly catalogue: Pick<Catalogue, "require" | "filesOf">;
  readonly settings: Pick<SettingsService, "get">;
  readonly warnings: WarningBoard;
  readonly volume: Volume;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OpenedMedia {
  readonly media: MediaService;
  /** Warnings that hold only as long as their cause does. */
  warnings(): Promise<Warning[]>;
  start(): Promise<void>;
  /** The torrent is gone. */
  forget(torrent: InfoHash): void;
  /** Resolves when no program is left and the folder of segments is empty. */
  stop(): Promise<void>;
}

const TRIAL_AFTER_MS = 1_000;

export function createMedia(context: MediaContext): OpenedMedia {
  const { clock, random, settings, streams } = context;
  const log = context.log.of("media");
  const shared = { ...context, log, programs: toldPrograms(context.programs, log) };
  const inputs = new LoopbackInputs({ clock, random, origin: context.ownOrigin });
  const check = new ProgramsCheck(shared);
  const machine = new MachineFacts({
    ...shared,
    version: () => check.version,
    state: context.database.state,
  });
  const library = createLibrary(shared, inputs);
  const held = new HeldRequests({ ...shared, inputs });
  const making = new Making({ ...shared, inputs, machine });
  const subtitles = createSubtitles(shared, inputs, making);
  const sessions = new Sessions({
    clock,
    random,
    onAsleep: (session) => making.renditions.release(session),
    onTick: () => making.sweep(),
  });
  const opening = new SessionOpening({
    sessions,
    machine: patientMachine(machine, held),
    segmentSec: () => settings.get().hlsSegmentDurationSec,
    factsOf: (target, reader, signal) => media.factsOf(target, reader, signal),
  });
  const fallback = new Fallback({ machine, log });
  const { renditions, stored } = making;
  const requests = new PlayerRequests({ renditions, stored, subtitles, held, fallback, sessions });
  const wantsBytes: DeliveryParts["wantsBytes"] = ({ userAgent, accept }) =>
    check.isMissing || deliveryOf(userAgent, accept) === "direct";
  const media = new Media({
    ...{ streams, wantsBytes, inputs, library, held, sessions, opening, requests, subtitles },
  });
  let trial: Timer | null = null;
  const stopListening = context.onRevoked(() => sessions.endAll());
  return {
    media,
    warnings: () => making.warnings(),
    forget(torrent) {
      for (const part of [sessions, library, subtitles, making]) part.forget(torrent);
    },
    async start() {
      await making.start();
      // Behind the start, which it would slow down, and before anybody asks.
      trial = clock.after(TRIAL_AFTER_MS, () => void machine.get());
    },
    async stop() {
      stopListening();
      trial?.cancel();
      sessions.close();
      library.close();
      machine.close();
      subtitles.close();
      await making.close();
      inputs.close();
    },
  };
}

/** The trial of encoders is waited for as long as any request is held. */
function patientMachine(machine: MachineFacts, held: HeldRequests): OpeningParts["machine"] {
  return {
    get atHand() {
      return machine.atHand;
    },
    get: (target, signal) => held.hold(target, signal, (within) => unlessAborted(machine.get(), within)),
  };
}

type Shared = Omit<MediaContext, "log"> & { readonly log: Log };

function createLibrary(context: Shared, inputs: LoopbackInputs): MediaLibrary {
  const { programs, clock, streams, database } = context;
  const reading: MediaReading = {
    readIndex: readMediaIndex,
    probe: (url, signal, isWaiting) => probeFile({ programs, url, signal, clock, isWaiting }),
  };
  return new MediaLibrary({
    ...context,
    inputs,
    reading,
    repository: database.media,
    isComplete: ({ torrent, file }) => streams.resolve(torrent, file).isComplete,
  });
}

function createSubtitles(context: Shared, inputs: LoopbackInputs, making: Making): FilmSubtitles {
  const { catalogue, streams } = context;
  const listFiles = (torrent: InfoHash): ListedFile[] => {
    const files = catalogue.filesOf(catalogue.require(torrent));
    return files.map(({ index, path, size }) => ({ index, path, lengthBytes: size }));
  };
  const isComplete = ({ torrent, file }: MediaFile) => streams.resolve(torrent, file).isComplete;
  const takePlace = (signal: AbortSignal) => making.takePlace(signal);
  return new FilmSubtitles({ ...context, listFiles, isComplete, inputs, takePlace });
}
