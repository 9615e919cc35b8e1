// A file system in memory that fails on demand and forgets what was not synced. Every operation takes a few turns of
// the microtask queue, drawn from the seed, so that runs interleave differently and yet repeat. After kill() or
// powerCut() nothing that was under way goes on.

import { basename, dirname, join } from "node:path";
import type { Random } from "../../src/base/random.ts";
import { DataConflictError } from "../../src/store/faults.ts";
import type { Disk, DiskFile, FileStamp } from "../../src/store/ports.ts";

type PendingWrite = { readonly seq: number; readonly offset: number; readonly bytes: Uint8Array };
type PendingTruncate = { readonly seq: number; readonly lengthBytes: number };
type Pending = PendingWrite | PendingTruncate;

interface Inode {
  readonly id: number;
  readonly kind: "file" | "directory" | "symlink";
  readonly target: string;
  bytes: Uint8Array;
  durable: Uint8Array;
  pending: Pending[];
  mtimeMs: number;
}

export type DiskOp =
  | "open"
  | "read"
  | "write"
  | "truncate"
  | "datasync"
  | "stat"
  | "mkdir"
  | "unlink"
  | "rmdir"
  | "syncdir";

export interface Operation {
  readonly op: DiskOp;
  readonly path: string;
  readonly offset: number;
  readonly lengthBytes: number;
}

const SECTOR = 4096;

export class MemoryDisk implements Disk {
  /** The system's code with which an operation is to fail, or undefined. */
  failOn: (operation: Operation) => string | undefined = () => undefined;
  /** Bytes that can still be written to places that hold none yet. */
  spaceBytes = Number.POSITIVE_INFINITY;
  readonly operations: Operation[] = [];
  /** A sync failed: what is read may never have reached the disk, and no later sync changes that. */
  hasLostPages = false;
  readonly #random: Random;
  #entries = new Map<string, Inode>();
  #durableEntries = new Map<string, Inode>();
  #isDead = false;
  #lastId = 1;
  #seq = 0;

  constructor(random: Random, directories: readonly string[] = []) {
    this.#random = random;
    for (const path of ["/", ...directories]) {
      const inode = this.#newInode("directory");
      this.#entries.set(path, inode);
      this.#durableEntries.set(path, inode);
    }
  }

  // What tests do to it

  /** The bytes as they are read now, or null. */
  contentOf(path: string): Uint8Array | null {
    const inode = this.#entries.get(path);
    return inode?.kind === "file" ? inode.bytes : null;
  }

  paths(): string[] {
    return [...this.#entries.keys()].sort();
  }

  /** The process dies: what was written stays (synced or not), what was under way ends where it was. */
  kill(random: Random): MemoryDisk {
    this.#isDead = true;
    const copies = new Map<Inode, Inode>();
    const copyOf = (inode: Inode) => {
      const copy = copies.get(inode) ?? {
        ...inode,
        bytes: inode.bytes.slice(),
        durable: inode.durable.slice(),
        pending: inode.pending.slice(),
      };
      copies.set(inode, copy);
      return copy;
    };
    return this.#heir(random, mapped(this.#entries, copyOf), mapped(this.#durableEntries, copyOf));
  }

  /** Power fails: any subset of what was not synced is lost, in sectors and folder entries. */
  powerCut(random: Random): MemoryDisk {
    this.#isDead = true;
    const luck = [0, 0.3, 0.7, 1][random.below(4)] ?? 0;
    const survives = () => random.next() < luck;
    const entries = new Map(this.#durableEntries);
    for (const path of new Set([...this.#entries.keys(), ...this.#durableEntries.keys()])) {
      const now = this.#entries.get(path);
      if (now === this.#durableEntries.get(path) || !survives()) continue;
      if (now === undefined) entries.delete(path);
      else entries.set(path, now);
    }
    for (const path of [...entries.keys()].sort()) {
      if (path !== "/" && entries.get(dirname(path))?.kind !== "directory") entries.delete(path);
    }
    const left = mapped(entries, (inode) => {
      const bytes = replay(inode, survives);
      return { ...inode, bytes, durable: bytes.slice(), pending: [] };
    });
    return this.#heir(random, left, new Map(left));
  }

  #heir(random: Random, entries: Map<string, Inode>, durableEntries: Map<string, Inode>): MemoryDisk {
    const heir = new MemoryDisk(random);
    heir.#entries = entries;
    heir.#durableEntries = durableEntries;
    heir.#lastId = this.#lastId;
    heir.#seq = this.#seq;
    return heir;
  }

  // Disk

  async open(path: string, { create }: { create: boolean }): Promise<DiskFile> {
    await this.#step("open", path);
    const real = this.#realLast(path);
    let inode = this.#entries.get(real);
    if (inode?.kind === "symlink") throw failure("ELOOP");
    if (inode?.kind === "directory") throw failure("EISDIR");
    if (inode === undefined) {
      if (!create) throw failure("ENOENT");
      inode = this.#newInode("file");
      this.#entries.set(real, inode);
    }
    return this.#fileOf(inode, path);
  }

  async stampOf(path: string): Promise<FileStamp | null> {
    await this.#step("stat", path);
    let inode: Inode | undefined;
    try {
      inode = this.#entries.get(this.#realLast(path));
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return null;
      throw error;
    }
    if (inode === undefined) return null;
    if (inode.kind !== "file") throw new DataConflictError("no plain file");
    return { sizeBytes: inode.bytes.length, mtimeMs: inode.mtimeMs, inode: inode.id };
  }

  async isDirectory(path: string): Promise<boolean> {
    await this.#step("stat", path);
    try {
      return this.#entries.get(this.#real(path))?.kind === "directory";
    } catch {
      return false;
    }
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#step("mkdir", path);
    const real = this.#realLast(path);
    if (this.#entries.has(real)) throw failure("EEXIST");
    this.#entries.set(real, this.#newInode("directory"));
  }

  async removeFile(path: string): Promise<void> {
    await this.#step("unlink", path);
    const real = this.#realLast(path);
    if (this.#entries.get(real)?.kind === "directory") throw failure("EISDIR");
    this.#entries.delete(real);
  }

  async removeEmptyDirectory(path: string): Promise<boolean> {
    await this.#step("rmdir", path);
    const real = this.#realLast(path);
    if (this.#entries.get(real)?.kind !== "directory") return false;
    for (const other of this.#entries.keys()) if (other.startsWith(`${real}/`)) return false;
    return this.#entries.delete(real);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#step("syncdir", path);
    const real = this.#real(path);
    for (const entry of new Set([...this.#entries.keys(), ...this.#durableEntries.keys()])) {
      if (entry === "/" || dirname(entry) !== real) continue;
      const now = this.#entries.get(entry);
      if (now === undefined) this.#durableEntries.delete(entry);
      else this.#durableEntries.set(entry, now);
    }
  }

  async freeBytes(path: string): Promise<number> {
    await this.#step("stat", path);
    return Math.min(this.spaceBytes, 2 ** 50);
  }

  async realPath(path: string): Promise<string> {
    await this.#step("stat", path);
    return this.#real(path);
  }

  // Inside

  #fileOf(inode: Inode, path: string): DiskFile {
    return {
      read: async (target, offset) => {
        await this.#step("read", path, offset, target.length);
        const part = inode.bytes.subarray(offset, offset + target.length);
        target.set(part);
        return part.length;
      },
      write: async (bytes, offset) => {
        await this.#step("write", path, offset, bytes.length);
        const middle = Math.ceil(bytes.length / 2);
        this.#write(inode, bytes.subarray(0, middle), offset);
        await this.#wait();
        this.#write(inode, bytes.subarray(middle), offset + middle);
      },
      truncate: async (lengthBytes) => {
        await this.#step("truncate", path, 0, lengthBytes);
        inode.bytes = resized(inode.bytes, lengthBytes);
        inode.pending.push({ seq: ++this.#seq, lengthBytes });
        inode.mtimeMs++;
      },
      datasync: () => this.#datasync(inode, path),
      close: () => this.#wait(),
      native: null,
    };
  }

  #write(inode: Inode, bytes: Uint8Array, offset: number): void {
    const copy = bytes.slice();
    if (copy.length === 0) return;
    if (copy.length > this.spaceBytes) throw failure("ENOSPC");
    this.spaceBytes -= copy.length;
    inode.bytes = written(inode.bytes, copy, offset);
    inode.pending.push({ seq: ++this.#seq, offset, bytes: copy });
    inode.mtimeMs++;
  }

  /** Only what was written before the sync began is sure to be durable after it. */
  async #datasync(inode: Inode, path: string): Promise<void> {
    const upTo = this.#seq;
    try {
      await this.#step("datasync", path);
    } catch (error) {
      // As on Linux: the pages count as clean from here on, and are lost.
      this.hasLostPages ||= inode.pending.length > 0;
      inode.pending = [];
      throw error;
    }
    await this.#wait();
    for (const pending of inode.pending) {
      if (pending.seq > upTo) continue;
      inode.durable = applied(inode.durable, pending, () => true);
    }
    inode.pending = inode.pending.filter((pending) => pending.seq > upTo);
  }

  async #step(op: DiskOp, path: string, offset = 0, lengthBytes = 0): Promise<void> {
    await this.#wait();
    const operation = { op, path, offset, lengthBytes };
    this.operations.push(operation);
    const code = this.failOn(operation);
    if (code !== undefined) throw failure(code);
  }

  async #wait(): Promise<void> {
    for (let turns = this.#random.below(4); turns >= 0; turns--) await Promise.resolve();
    if (this.#isDead) await new Promise<never>(() => undefined);
  }

  #newInode(kind: Inode["kind"], target = ""): Inode {
    const bytes = new Uint8Array(0);
    return { id: ++this.#lastId, kind, target, bytes, durable: bytes, pending: [], mtimeMs: 1 };
  }

  #real(path: string): string {
    const real = this.#realLast(path);
    const inode = this.#entries.get(real);
    if (inode === undefined) throw failure("ENOENT");
    return inode.kind === "symlink" ? this.#real(join(dirname(real), inode.target)) : real;
  }

  /** Every symlink resolved but the last component. */
  #realLast(path: string): string {
    if (path === "/") return "/";
    const parent = this.#real(dirname(path));
    if (this.#entries.get(parent)?.kind !== "directory") throw failure("ENOTDIR");
    return join(parent, basename(path));
  }
}

function mapped(entries: Map<string, Inode>, change: (inode: Inode) => Inode): Map<string, Inode> {
  return new Map([...entries].map(([path, inode]) => [path, change(inode)]));
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function resized(bytes: Uint8Array, lengthBytes: number): Uint8Array {
  const out = new Uint8Array(lengthBytes);
  out.set(bytes.subarray(0, lengthBytes));
  return out;
}

/** In place where it fits: these arrays belong to one inode alone. */
function written(bytes: Uint8Array, more: Uint8Array, offset: number): Uint8Array {
  const out = offset + more.length > bytes.length ? resized(bytes, offset + more.length) : bytes;
  out.set(more, offset);
  return out;
}

function applied(bytes: Uint8Array, pending: Pending, survives: () => boolean): Uint8Array {
  if ("lengthBytes" in pending) return survives() ? resized(bytes, pending.lengthBytes) : bytes;
  let out = bytes;
  for (let at = 0; at < pending.bytes.length; ) {
    const end = Math.min(pending.bytes.length, at + SECTOR - ((pending.offset + at) % SECTOR));
    if (survives()) out = written(out, pending.bytes.subarray(at, end), pending.offset + at);
    at = end;
  }
  return out;
}

function replay(inode: Inode, survives: () => boolean): Uint8Array {
  let bytes: Uint8Array = inode.durable.slice();
  for (const pending of inode.pending) bytes = applied(bytes, pending, survives);
  return bytes;
}
