// Mutational fuzzing without coverage feedback: seeds are cut, spliced, repeated and overwritten with bytes that
// formats care about. A target must return or throw its own typed error, in bounded time; anything else is a finding,
// told with the seed and the input in hex.

import { type Random, seededRandom } from "../../src/base/random.ts";

interface FuzzSubject {
  readonly name: string;
  /** Valid and nearly valid inputs to start from. */
  readonly corpus: readonly Uint8Array[];
  /** Fragments that the format cares about. */
  readonly dictionary: readonly Uint8Array[];
  isExpected(error: unknown): boolean;
}

export interface FuzzTarget extends FuzzSubject {
  /** Returns, or throws an error that `isExpected` knows; its own assertions may throw anything. */
  run(input: Uint8Array): void;
}

export interface AsyncFuzzTarget extends FuzzSubject {
  /** Resolves, or rejects with an error that `isExpected` knows. */
  run(input: Uint8Array): Promise<void>;
}

export interface FuzzResult {
  readonly inputs: number;
  readonly refused: number;
  readonly slowestMs: number;
}

const INPUT_BYTES_MAX = 64 * 1024;
/** One input may take this long; generous because a garbage collection can fall into any of them. */
const INPUT_MS_MAX = 1_000;

/** Runs `inputs` mutations. Throws on the first finding. */
export function fuzz(target: FuzzTarget, options: { seed: number; inputs: number }): FuzzResult {
  const run = new FuzzRun(target, options.seed);
  while (run.tried < options.inputs) {
    const input = run.next();
    let error: unknown = null;
    try {
      target.run(input);
    } catch (thrown) {
      error = thrown ?? new Error("threw nothing");
    }
    run.judge(input, error);
  }
  return run.result();
}

/** The same of a target that waits for its results. */
export async function fuzzAsync(
  target: AsyncFuzzTarget,
  options: { seed: number; inputs: number },
): Promise<FuzzResult> {
  const run = new FuzzRun(target, options.seed);
  while (run.tried < options.inputs) {
    const input = run.next();
    let error: unknown = null;
    try {
      await target.run(input);
    } catch (thrown) {
      error = thrown ?? new Error("threw nothing");
    }
    run.judge(input, error);
  }
  return run.result();
}

/** The pool of inputs, and what came of those that were tried. */
class FuzzRun {
  tried = 0;
  readonly #target: FuzzSubject;
  readonly #seed: number;
  readonly #random: Random;
  readonly #pool: Uint8Array[];
  #refused = 0;
  #slowestMs = 0;
  #startedMs = 0;

  constructor(target: FuzzSubject, seed: number) {
    this.#target = target;
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.#pool = target.corpus.slice();
  }

  next(): Uint8Array {
    const seed = this.#target.corpus[this.tried++];
    const input = seed ?? mutated(this.#pool, this.#target.dictionary, this.#random);
    this.#startedMs = performance.now();
    return input;
  }

  /** `error` is null where the target took the input. */
  judge(input: Uint8Array, error: unknown): void {
    const elapsedMs = performance.now() - this.#startedMs;
    this.#slowestMs = Math.max(this.#slowestMs, elapsedMs);
    if (error !== null && !this.#target.isExpected(error)) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw finding(this.#target, { input, seed: this.#seed, what });
    }
    if (elapsedMs > INPUT_MS_MAX)
      throw finding(this.#target, { input, seed: this.#seed, what: `took ${elapsedMs} ms` });
    if (error !== null) this.#refused++;
    // What was taken is worth mutating further.
    else if (this.#random.below(8) === 0) this.#keep(input);
  }

  result(): FuzzResult {
    return { inputs: this.tried, refused: this.#refused, slowestMs: this.#slowestMs };
  }

  #keep(input: Uint8Array): void {
    const places = this.#pool.length + (this.#pool.length < 256 ? 1 : 0);
    this.#pool[this.#random.below(places)] = input;
  }
}

function finding(target: FuzzSubject, facts: { input: Uint8Array; seed: number; what: string }): Error {
  const hex = Buffer.from(facts.input).toString("hex");
  return new Error(`fuzz ${target.name}, seed ${facts.seed}: ${facts.what}\ninput: ${hex.slice(0, 4_000)}`);
}

function mutated(pool: readonly Uint8Array[], dictionary: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = pick(pool, random);
  for (let rounds = 1 + random.below(4); rounds > 0; rounds--)
    bytes = mutatedOnce(bytes, { pool, dictionary, random });
  return bytes.subarray(0, INPUT_BYTES_MAX);
}

function mutatedOnce(
  bytes: Uint8Array,
  from: { pool: readonly Uint8Array[]; dictionary: readonly Uint8Array[]; random: Random },
): Uint8Array {
  const { random } = from;
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random.below(16));
  const head = bytes.subarray(0, at);
  switch (random.below(8)) {
    case 0:
      return joined(head, bytes.subarray(end));
    case 1:
      return joined(head, random.bytes(1 + random.below(8)), bytes.subarray(at));
    case 2:
      return joined(head, bytes.subarray(at, end), bytes.subarray(at));
    case 3:
      return joined(head, pick(from.dictionary, random), bytes.subarray(at));
    case 4:
      return joined(head, pick(from.dictionary, random), bytes.subarray(end));
    case 5: {
      const other = pick(from.pool, random);
      return joined(head, other.subarray(random.below(other.length + 1)));
    }
    case 6: {
      const copy = bytes.slice();
      if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ (1 << random.below(8));
      return copy;
    }
    default:
      return head.slice();
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function pick(items: readonly Uint8Array[], random: Random): Uint8Array {
  return items[random.below(items.length)] ?? new Uint8Array();
}

/** How many inputs a target gets in this run of the suite. */
export function fuzzInputs(): number {
  return process.env["TORRX_TEST_ALL"] === "1" ? 1_000_000 : 10_000;
}

/** A new seed each run unless TORRX_TEST_SEED asks for a certain one. */
export function fuzzSeed(): number {
  const asked = process.env["TORRX_TEST_SEED"];
  return asked === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! : Number(asked);
}
