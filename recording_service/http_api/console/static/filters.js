// The filters: a tab of states, calls and accounts by their SIDs, and words that were said.

import { byId, el, icon, setText, unseen } from "./dom.js";
import { shortSid } from "./words.js";

const NAMES = { call_sids: "Call", account_sids: "Account" };
const FIELDS = { AC: "account_sids", CA: "call_sids" };
const SID = /^(AC|CA|RE)[0-9a-fA-F]{32}$/;
/** What is more likely a SID with something amiss than a word. */
const LIKE_A_SID = /^(AC|CA|RE)(?=[a-f]*[0-9])[0-9a-f]+$/i;

export class Filters {
  #on;
  #field = byId("find");
  #sids = { call_sids: [], account_sids: [] };
  #words = "";

  /** Calls `on.tab(name)`, `on.sids()` when the calls or accounts have changed, `on.words()` when the words have, and
   * `on.find(recordingSid)`. */
  constructor(on) {
    this.#on = on;
    byId("filters").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId("filters").addEventListener("change", (event) => {
      if (event.target.name === "tab") on.tab(this.tab);
    });
    this.#field.addEventListener("input", () => this.#complain(""));
    byId("empty-clear").addEventListener("click", () => this.clear());
  }

  get tab() {
    return new FormData(byId("filters")).get("tab");
  }

  set tab(name) {
    const radio = byId("filters").querySelector(`input[name="tab"][value="${CSS.escape(name)}"]`);
    if (radio) radio.checked = true;
  }

  /** As the service takes them. */
  get query() {
    return { call_sids: this.#sids.call_sids.join(","), account_sids: this.#sids.account_sids.join(",") };
  }

  /** Words that were said; empty: none are looked for. */
  get words() {
    return this.#words;
  }

  set words(text) {
    this.#words = text;
    this.#draw();
  }

  get isEmpty() {
    return !this.#words && !this.#sids.call_sids.length && !this.#sids.account_sids.length;
  }

  /** Shows one call's, or one account's, recordings as well; says nothing to `on`. */
  put(name, sid) {
    if (SID.test(sid) && FIELDS[sid.slice(0, 2)] === name && !this.#sids[name].includes(sid)) this.#sids[name].push(sid);
    this.#draw();
  }

  add(name, sid) {
    this.put(name, sid);
    this.#on.sids();
  }

  clear() {
    this.#sids = { call_sids: [], account_sids: [] };
    this.#words = "";
    this.#complain("");
    this.#field.value = "";
    this.tab = "all";
    this.#draw();
    this.#on.sids();
    this.#field.focus();
  }

  focus() {
    this.#field.focus();
    this.#field.select();
  }

  #submit() {
    const text = this.#field.value.trim();
    if (!text) return;
    const kind = SID.exec(text)?.[1];
    if (!kind && LIKE_A_SID.test(text)) {
      this.#complain("A SID is CA (call), AC (account) or RE (recording) and 32 digits 0–9, a–f. Put a word like that in quotes.");
      return;
    }
    this.#field.value = "";
    if (kind === "RE") {
      this.#on.find(text);
    } else if (kind) {
      this.add(FIELDS[kind], text);
    } else {
      this.words = text;
      this.#on.words();
    }
  }

  #complain(words) {
    setText(byId("find-error"), words);
    if (words) this.#field.setAttribute("aria-invalid", "true");
    else this.#field.removeAttribute("aria-invalid");
  }

  /** Says that what was looked for isn't there. */
  complain(words) {
    this.#complain(words);
    this.#field.focus();
  }

  #draw() {
    const chips = Object.entries(this.#sids).flatMap(([name, sids]) => sids.map((sid) => this.#sidChip(name, sid)));
    if (this.#words) chips.unshift(this.#wordsChip());
    byId("chips").replaceChildren(...chips);
    byId("chips").hidden = !chips.length;
  }

  #sidChip(name, sid) {
    const button = this.#removing(`${NAMES[name]} ${sid}`, () => {
      this.#sids[name] = this.#sids[name].filter((each) => each !== sid);
      this.#draw();
      this.#on.sids();
    });
    return el("li", {}, `${NAMES[name]} `, el("code", { title: sid }, shortSid(sid)), button);
  }

  #wordsChip() {
    const button = this.#removing(`Said ${this.#words}`, () => {
      this.words = "";
      this.#on.words();
    });
    return el("li", {}, "Said ", el("span", { class: "chip-words", title: this.#words }, this.#words), button);
  }

  #removing(what, remove) {
    const button = el("button", { type: "button", title: "Remove" }, icon("close"), unseen(`Remove the filter ${what}`));
    button.addEventListener("click", () => {
      remove();
      this.#field.focus();
    });
    return button;
  }
}
