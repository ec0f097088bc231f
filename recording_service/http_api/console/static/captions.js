// The captions below the player: the cues of a <track>, a line each; the one that is being said is marked.

import { byId, el, setText, unseen } from "./dom.js";
import { markedText } from "./marking.js";
import { clockTime } from "./words.js";

export class Captions {
  #on;
  #audio = byId("audio");
  #box = byId("captions");
  #lines = byId("captions-lines");
  #url = "";
  #track;
  #buttons = new Map();
  #sought = [];

  /** Calls `on.seek(seconds)` when a line is chosen. */
  constructor(on) {
    this.#on = on;
    this.#lines.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Shows the captions of this address, unless they are these already; `undefined`: none. Marks these words in them. */
  load(url, sought) {
    const isSought = String(sought) !== String(this.#sought);
    this.#sought = sought;
    const wanted = url === undefined ? "" : String(url);
    if (wanted === this.#url) {
      if (isSought) this.#markSought();
      return;
    }
    this.#url = wanted;
    this.#track?.remove();
    this.#track = undefined;
    this.#buttons.clear();
    this.#lines.replaceChildren();
    this.#lines.scrollTop = 0;
    this.#box.hidden = !wanted;
    setText(byId("captions-words"), wanted ? "Loading…" : "");
    if (wanted) this.#open();
  }

  #open() {
    const track = el("track", { kind: "captions", label: "Transcript", src: this.#url });
    const heard = (name, act) => track.addEventListener(name, () => track === this.#track && act());
    heard("load", () => this.#fill(track.track));
    heard("error", () => this.#broken());
    this.#track = track;
    this.#audio.append(track);
    // An audio element shows none itself.
    track.track.mode = "hidden";
    track.track.addEventListener("cuechange", () => track === this.#track && this.#mark(track.track));
  }

  #broken() {
    // The next look at the recording tries again.
    this.#url = undefined;
    setText(byId("captions-words"), "The transcript could not be loaded.");
  }

  #fill(track) {
    let before = "";
    const lines = [...track.cues].map((cue) => {
      const { who, text } = partsOf(cue);
      const button = el(
        "button",
        { type: "button", tabindex: "-1" },
        el("span", { class: "caption-time" }, clockTime(cue.startTime)),
        el("span", { class: "caption-text" }, speaker(who, before), el("span", { class: "caption-said" }, text)),
      );
      button.addEventListener("click", () => {
        this.#rove(button);
        this.#on.seek(cue.startTime);
      });
      this.#buttons.set(cue, button);
      before = who;
      return el("li", {}, button);
    });
    this.#lines.replaceChildren(...lines);
    if (lines.length) this.#rove(lines[0].firstElementChild);
    setText(byId("captions-words"), lines.length ? "" : "Nothing is said in it.");
    this.#mark(track);
    this.#markSought();
  }

  /** Marks what was looked for, and shows the first of it. */
  #markSought() {
    let first;
    for (const button of this.#buttons.values()) {
      const said = button.querySelector(".caption-said");
      const marked = markedText(said.textContent, this.#sought);
      said.replaceChildren(...(marked ?? [said.textContent]));
      if (marked) first ??= button;
    }
    if (!first) return;
    this.#rove(first);
    this.#reveal(first);
  }

  #mark(track) {
    const active = new Set(track.activeCues ?? []);
    let first;
    for (const [cue, button] of this.#buttons) {
      if (active.has(cue)) {
        button.setAttribute("aria-current", "true");
        first ??= button;
      } else {
        button.removeAttribute("aria-current");
      }
    }
    // Whoever reads elsewhere in it isn't pulled away.
    if (first && !this.#lines.matches(":hover, :focus-within")) this.#reveal(first);
  }

  /** Within the list alone: the page, and the panel, stay where they are. */
  #reveal(button) {
    const lines = this.#lines;
    const line = button.parentElement;
    const top = line.offsetTop - lines.offsetTop;
    if (top < lines.scrollTop || top + line.offsetHeight > lines.scrollTop + lines.clientHeight) {
      lines.scrollTop = top - (lines.clientHeight - line.offsetHeight) / 3;
    }
  }

  /** The one line that the Tab key reaches: a call of hundreds is one stop, not hundreds. */
  #rove(button) {
    for (const other of this.#lines.querySelectorAll("button[tabindex='0']")) other.tabIndex = -1;
    button.tabIndex = 0;
  }

  #onKey(event) {
    const line = event.target.closest("li");
    const moves = {
      ArrowDown: line?.nextElementSibling,
      ArrowUp: line?.previousElementSibling,
      Home: this.#lines.firstElementChild,
      End: this.#lines.lastElementChild,
    };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const button = moves[event.key]?.firstElementChild;
    if (!button) return;
    this.#rove(button);
    button.focus();
  }
}

/** Seen where somebody else begins; heard with each line. */
function speaker(who, before) {
  if (!who) return "";
  return who === before ? unseen(`${who}: `) : el("span", { class: "caption-who" }, `${who} `);
}

/** Who says what: a cue's text is markup. */
function partsOf(cue) {
  const fragment = cue.getCueAsHTML();
  const who = fragment.querySelector("span[title]")?.title ?? "";
  return { who, text: fragment.textContent.replace(/\s+/g, " ") };
}
