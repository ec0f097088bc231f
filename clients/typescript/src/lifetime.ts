/** How long a thing lasts: until it is closed, or what it belongs to is, or its caller's signal is aborted. */

/** The longest time that a timer of Node's takes, in milliseconds; a longer one would be over at once. */
const LONGEST_MILLISECONDS = 2 ** 31 - 1;

/** A timer, also of times that are longer than Node's own can be. */
export function startTimer(callback: () => void, milliseconds: number): NodeJS.Timeout {
  return setTimeout(callback, Math.min(milliseconds, LONGEST_MILLISECONDS));
}

/**
 * Of a client, a reader or a watch. Nothing is registered with what it belongs to, or with the signal, but while
 * something is under way: a signal that lives long doesn't hold what is over.
 */
export class Lifetime {
  readonly #parent: Lifetime | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #callbacks = new Set<() => void>();
  #why: (() => Error) | undefined;

  constructor(parent?: Lifetime, signal?: AbortSignal) {
    this.#parent = parent;
    this.#signal = signal;
  }

  /** Whether it is over. */
  get isOver(): boolean {
    return this.#why !== undefined || this.#parent?.isOver === true || this.#signal?.aborted === true;
  }

  /** Whether `end` was called: it is over by itself, and not by what it belongs to. */
  get wasEnded(): boolean {
    return this.#why !== undefined;
  }

  /** Throws why it is over, if it is: an error of this client, or the signal's reason as it is. */
  throwIfOver(): void {
    if (this.#why !== undefined) {
      throw this.#why();
    }
    this.#parent?.throwIfOver();
    this.#signal?.throwIfAborted();
  }

  /** Ends it, at once. Idempotent: the first reason stays. */
  end(why: () => Error): void {
    if (this.#why === undefined) {
      this.#why = why;
      for (const callback of [...this.#callbacks]) {
        callback();
      }
    }
  }

  /** Calls back once it is over, not if it is already. The function that is returned takes that back. */
  onEnd(callback: () => void): () => void {
    this.#callbacks.add(callback);
    const takeBack = this.#parent?.onEnd(callback);
    this.#signal?.addEventListener("abort", callback);
    return () => {
      this.#callbacks.delete(callback);
      takeBack?.();
      this.#signal?.removeEventListener("abort", callback);
    };
  }

  /** Waits. Throws as `throwIfOver` as soon as it is over. */
  async pause(milliseconds: number): Promise<void> {
    this.throwIfOver();
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        takeBack();
        resolve();
      };
      const timer = startTimer(finish, milliseconds);
      const takeBack = this.onEnd(finish);
    });
    this.throwIfOver();
  }
}
