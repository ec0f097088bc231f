// What is found by the words that were said: pages of the service's own search, newest first.

import { ask } from "./api.js";
import { keyOf, newestFirst, Store } from "./store.js";

/** How many a page brings: each comes with what is said about it. */
const PAGE = 50;

export class Found {
  /** The recordings; what is live keeps them true. */
  store = new Store();
  #matches = new Map();
  #query;
  #next;

  /** Whether the service has answered. */
  get isKnown() {
    return this.#next !== undefined;
  }

  get hasMore() {
    return Boolean(this.#next);
  }

  /** Where the words are in it, `{ snippet, highlights }`; `undefined`: it was not found. */
  matchOf(recording) {
    return this.#matches.get(keyOf(recording));
  }

  clear() {
    this.#query = undefined;
    this.#next = undefined;
    this.#matches.clear();
    this.store.clear();
  }

  /** Looks for the newest; where the same was looked for before, what is older stays. Throws `Failure`. */
  async look(query) {
    const isSame = JSON.stringify(query) === JSON.stringify(this.#query);
    if (!isSame) this.clear();
    this.#query = query;
    const page = await this.#ask(query);
    if (!page) return;
    const found = new Set(page.recordings.map(keyOf));
    const oldest = page.recordings.at(-1);
    for (const recording of this.store.list("all")) {
      const isOfPage = !page.next_page_token || newestFirst(recording, oldest) <= 0;
      if (isOfPage && !found.has(keyOf(recording))) this.remove(keyOf(recording));
    }
    // Where older ones have been asked for, their end is further down.
    if (!page.next_page_token || !this.isKnown) this.#next = page.next_page_token;
    this.#take(page);
  }

  /** Brings the next page. Throws `Failure`. */
  async more() {
    const page = await this.#ask({ ...this.#query, page_token: this.#next });
    if (!page) return;
    this.#next = page.next_page_token;
    this.#take(page);
  }

  /** A newer look at what was found; others are nothing to us. */
  update(recording) {
    if (this.#matches.has(keyOf(recording))) this.store.take(recording);
  }

  remove(key) {
    this.#matches.delete(key);
    this.store.remove(key);
  }

  /** `undefined`: something else is being looked for meanwhile. */
  async #ask(query) {
    const asked = this.#query;
    const page = await ask("recordings", { query: { ...query, page_size: PAGE } });
    return asked === this.#query ? page : undefined;
  }

  #take(page) {
    for (const { transcript_match: match, ...recording } of page.recordings) {
      // Without: its transcript has changed while it was looked up.
      if (!match) continue;
      this.store.take(recording);
      this.#matches.set(keyOf(recording), match);
    }
  }
}
