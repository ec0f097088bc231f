// The stream of changes, and the truth about it: "live" is said only while something arrives.

import { ask, address, Failure } from "./api.js";
import { setServerTime } from "./server_clock.js";

/** The service says something every 15 s; after this long without a word the connection is taken for lost. */
const SILENCE = 40_000;
/** Between two attempts, in milliseconds; doubled each time. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;

/**
 * Opens the stream, and again whenever it ends.
 *
 * Calls `on.state({ name, words, until })` with the names connecting, live, lost and refused; `on.begin()`,
 * `on.recording(recording)` and `on.complete()` for the snapshot; and `on.recording` for each change after it.
 */
export class Live {
  #on;
  #query = {};
  #source;
  #silence;
  #waiting;
  #attempts = 0;
  #generation = 0;

  constructor(on) {
    this.#on = on;
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  /** Opens the stream with these filters, in place of one that is open. */
  open(query) {
    this.#query = query;
    this.#attempts = 0;
    this.#connect();
  }

  close() {
    this.#generation += 1;
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#silence);
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
  }

  /** Tries at once where it would wait. */
  retryNow() {
    if (this.#waiting !== undefined) this.#connect();
  }

  #hurry() {
    this.retryNow();
  }

  #connect() {
    this.close();
    const generation = this.#generation;
    this.#on.state({ name: this.#attempts ? "reconnecting" : "connecting" });
    const source = new EventSource(address("recordings/events", this.#query));
    const heard = (name, act) =>
      source.addEventListener(name, (event) => {
        if (generation !== this.#generation) return;
        this.#listen();
        act(JSON.parse(event.data));
      });
    this.#source = source;
    this.#listen();
    source.addEventListener("open", () => generation === this.#generation && this.#on.begin());
    heard("recording", (recording) => this.#on.recording(recording));
    heard("heartbeat", ({ time }) => setServerTime(time));
    heard("snapshot-complete", ({ time }) => {
      setServerTime(time);
      this.#attempts = 0;
      this.#on.complete();
      this.#on.state({ name: "live" });
    });
    source.addEventListener("error", () => generation === this.#generation && this.#lost());
  }

  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost(), SILENCE);
  }

  async #lost() {
    this.close();
    const generation = this.#generation;
    const words = await this.#reason();
    if (generation !== this.#generation || words === undefined) return;
    const longest = Math.min(FIRST_WAIT * 2 ** this.#attempts, LONGEST_WAIT);
    // Not all consoles at once, when a service comes back.
    const wait = longest * (0.75 + Math.random() / 2);
    this.#attempts += 1;
    this.#waiting = setTimeout(() => this.#connect(), wait);
    this.#on.state({ name: "lost", words, until: Date.now() + wait });
  }

  /** An EventSource doesn't say why it has failed; an ordinary request does. Undefined: there is no use in trying. */
  async #reason() {
    try {
      await ask("recordings", { query: { ...this.#query, snapshot_size: undefined, page_size: 1 } });
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status === 401) {
        this.#on.signedOut();
        return undefined;
      }
      if (failure.status === 403 || failure.status === 400) {
        this.#on.state({ name: "refused", words: failure.message });
        return undefined;
      }
      return failure.message;
    }
    return "The connection broke off.";
  }
}
