// Looks for words that were said: at once, and again when more has been transcribed, or after a failure.

import { say } from "./announcements.js";
import { Found } from "./found.js";
import { stepState } from "./processing.js";
import { counted } from "./words.js";

/** How long it waits before it looks again, in milliseconds. */
const SOON = 3000;

export class Searching {
  found = new Found();
  /** Why nothing could be looked for; empty: it could. */
  failure = "";
  #on;
  #query;
  #soon;

  /** Has `on.load(act, failed)` ask the service; calls `on.looked()` after each look, and `on.refused(failure)` where
   * such words will never do. */
  constructor(on) {
    this.#on = on;
  }

  /** Looks for this, `{ words, … }`, from the beginning; `undefined`: for nothing. */
  begin(query) {
    this.found.clear();
    this.failure = "";
    this.#query = query;
    if (query) void this.#look({ tell: true });
  }

  /** Looks once more for the same: much may have changed. */
  again() {
    if (this.#query) void this.#look();
  }

  /** Brings older ones. */
  more() {
    void this.#on.load(() => this.found.more());
  }

  /** A newer look at a recording; `before`: what was known of it. */
  take(recording, before) {
    this.found.update(recording);
    if (isTranscribed(recording) && !(before && isTranscribed(before))) this.#lookSoon();
  }

  async #look({ tell = false } = {}) {
    const { found } = this;
    const look = async () => {
      await found.look(this.#query);
      this.failure = "";
      if (tell && found.isKnown) say(`${counted(found.store.number, "recording")}${found.hasMore ? " and more" : ""} found.`);
    };
    await this.#on.load(look, (failure) => this.#failed(failure));
    this.#on.looked();
  }

  #failed(failure) {
    if (failure.status === 400) {
      this.#on.refused(failure);
      return;
    }
    this.failure = failure.message;
    this.#lookSoon();
  }

  #lookSoon() {
    if (!this.#query) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.again();
    }, SOON);
  }
}

function isTranscribed(recording) {
  return stepState(recording, "TRANSCRIPT") === "DONE";
}
