// What the user should know, for /api/status: one message per code, the newest.

export interface Warning {
  readonly code: string;
  readonly message: string;
}

const KEPT = 32;

export class WarningBoard {
  readonly #byCode = new Map<string, string>();

  constructor(first: readonly Warning[] = []) {
    for (const warning of first) this.set(warning);
  }

  set({ code, message }: Warning): void {
    this.#byCode.delete(code);
    this.#byCode.set(code, message);
    const oldest = this.#byCode.keys().next();
    if (this.#byCode.size > KEPT && !oldest.done) this.#byCode.delete(oldest.value);
  }

  clear(code: string): void {
    this.#byCode.delete(code);
  }

  list(): Warning[] {
    return [...this.#byCode].map(([code, message]) => ({ code, message }));
  }
}
