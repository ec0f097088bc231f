// The recordings that are known here, by their identity, newest first.

import { stateOf } from "./words.js";

export function keyOf(recording) {
  return `${recording.account_sid}/${recording.recording_sid}`;
}

export class Store {
  #recordings = new Map();
  #seen;

  get(key) {
    return this.#recordings.get(key);
  }

  get number() {
    return this.#recordings.size;
  }

  /** Takes a look at a recording; an older one than we have is left. Returns what was known before. */
  take(recording) {
    const key = keyOf(recording);
    const before = this.#recordings.get(key);
    this.#seen?.add(key);
    if (!before || Number(recording.revision ?? 0) >= Number(before.revision ?? 0)) this.#recordings.set(key, recording);
    return before;
  }

  remove(key) {
    this.#recordings.delete(key);
  }

  clear() {
    this.#recordings.clear();
  }

  /** From here on everything that matches is being sent. */
  beginSnapshot() {
    this.#seen = new Set();
  }

  /** What has not been sent may have changed, or be gone, while nobody was looking. */
  endSnapshot() {
    for (const key of this.#recordings.keys()) {
      if (!this.#seen.has(key)) this.#recordings.delete(key);
    }
    this.#seen = undefined;
  }

  /** Newest first, of one tab. */
  list(tab) {
    const shown = [...this.#recordings.values()];
    return (tab === "all" ? shown : shown.filter((each) => stateOf(each).tab === tab)).sort(newestFirst);
  }

  /** Forgets all but so many, the newest. */
  keepNewest(number) {
    for (const recording of this.list("all").slice(number)) this.#recordings.delete(keyOf(recording));
  }

  counts() {
    const counts = { all: 0, waiting: 0, ready: 0, failed: 0 };
    for (const recording of this.#recordings.values()) {
      counts.all += 1;
      const { tab } = stateOf(recording);
      if (tab) counts[tab] += 1;
    }
    return counts;
  }
}

/** The order of a list: negative where the one comes before the other. */
export function newestFirst(one, other) {
  const [a, b] = [one.create_time ?? "", other.create_time ?? ""];
  // RFC 3339 in UTC, but with as many digits of a second as there are: as text only up to the second.
  if (a.slice(0, 19) !== b.slice(0, 19)) return a < b ? 1 : -1;
  const difference = Number(`0${b.slice(19, -1)}`) - Number(`0${a.slice(19, -1)}`);
  return difference || (one.recording_sid < other.recording_sid ? -1 : 1);
}
