// The store on the native addon's threads and real files: the same contract as on plain memory, and what only threads
// can get wrong.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { type NativeWorld, nativeWorld } from "../support/native-world.ts";
import { claimContract } from "../support/store-contract/claim.ts";
import { hostilePlacesContract } from "../support/store-contract/hostile-places.ts";
import { presenceContract } from "../support/store-contract/presence.ts";
import { resumeContract } from "../support/store-contract/resume.ts";
import { downloadContract } from "../support/store-contract/torrent-store.ts";
import { useWorld } from "../support/store-files.ts";

describe("the store on native memory", () => {
  let world: NativeWorld;

  beforeAll(() => {
    world = nativeWorld();
    useWorld(world);
  });

  afterEach(() => {
    expect(world.native.figures().arenaBytes).toBe(0);
  });

  afterAll(() => {
    useWorld(null);
    world.close();
  });

  downloadContract();
  presenceContract();
  resumeContract();
  claimContract();
  hostilePlacesContract();
});
