/** When a broken stream is opened again, and after how long (c and e of clients/README.md). */
import { status as Code } from "@grpc/grpc-js";
import { RecordingsError } from "./errors.js";
import type { Patience } from "./options.js";

/** Doubled so often, every first wait is past any longest one. */
const MOST_DOUBLINGS = 30;
/** More than anybody asks for in earnest. */
const LONGEST_RETRY_DELAY_SECONDS = 3600;

/** Counts the attempts since the last message. */
export class Setbacks {
  readonly #patience: Patience;
  readonly #unlimited: boolean;
  #begun = false;
  #count = 0;

  /** @param unlimited whether there is a deadline, until which it goes on */
  constructor(patience: Patience, { unlimited = false } = {}) {
    this.#patience = patience;
    this.#unlimited = unlimited;
  }

  /** There is progress: the count begins anew. */
  messageCame(): void {
    this.#count = 0;
    this.#begun = true;
  }

  /**
   * How long to wait before the next attempt, in milliseconds: full jitter, and what the service asks for at least.
   * Throws the error itself, if another attempt would not help or there were enough.
   */
  after(error: unknown): number {
    const usedUp = !this.#unlimited && this.#count >= this.#patience.resumeAttempts;
    if (usedUp || !(error instanceof RecordingsError) || !this.#mayHelp(error)) {
      throw error;
    }
    const doubled = this.#patience.resumeInitialBackoffSeconds * 2 ** Math.min(this.#count, MOST_DOUBLINGS);
    const jitter = Math.random() * Math.min(doubled, this.#patience.resumeMaxBackoffSeconds);
    this.#count++;
    return 1000 * Math.max(jitter, Math.min(error.retryDelaySeconds ?? 0, LONGEST_RETRY_DELAY_SECONDS));
  }

  #mayHelp({ code, retryDelaySeconds }: RecordingsError): boolean {
    switch (code) {
      case Code.UNAVAILABLE:
        return true;
      case Code.RESOURCE_EXHAUSTED:
        return retryDelaySeconds !== undefined;
      case Code.CANCELLED:
      case Code.INTERNAL:
        // The service's sweep of streams that nobody reads, and a RST_STREAM of something in between.
        return this.#begun;
      default:
        // Among them the client's own findings, which have no code.
        return false;
    }
  }
}
