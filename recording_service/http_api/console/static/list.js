// The list: one row a recording, changed in place, so that focus, selection and scrolling stay where they are.

import { copyButton } from "./copying.js";
import { byId, el, icon, setText, unseen } from "./dom.js";
import { markedSnippet } from "./marking.js";
import { now } from "./server_clock.js";
import { keyOf } from "./store.js";
import { callOf, clockTime, exact, relative, secondsOf, shortSid, size, spokenTime, stateOf } from "./words.js";

/** How long a row shows that it has changed, in milliseconds. */
const FLASH = 1600;

export class List {
  #on;
  #body = byId("rows");
  #rows = new Map();
  #selected;

  /** Calls `on.open(recording, { byKey })`, `on.play(recording)` and `on.retry(recording)`. */
  constructor(on) {
    this.#on = on;
    this.#body.addEventListener("keydown", (event) => this.#onKey(event));
    this.#body.addEventListener("focusin", (event) => this.#rove(event.target.closest("tr")));
  }

  /** Shows these recordings, in this order; `matchOf(recording)`: where what is looked for is said in it. */
  show(recordings, matchOf) {
    const wanted = new Set(recordings.map(keyOf));
    for (const [key, row] of this.#rows) {
      if (!wanted.has(key)) this.#drop(key, row);
    }
    let place = this.#body.firstElementChild;
    for (const recording of recordings) {
      const key = keyOf(recording);
      const row = this.#rows.get(key) ?? new Row(recording, this.#on);
      this.#rows.set(key, row);
      row.show(recording, key === this.#selected, matchOf(recording));
      if (row.element === place) place = place.nextElementSibling;
      else this.#body.insertBefore(row.element, place);
    }
    if (!this.#body.querySelector("tr[data-roving]")) this.#rove(this.#body.firstElementChild);
  }

  /** Marks the row of what is open; `undefined` for none. */
  select(key) {
    this.#selected = key;
    for (const [each, row] of this.#rows) row.mark(each === key);
    const row = this.#rows.get(key);
    if (row) this.#rove(row.element);
  }

  /** The recording that is `step` rows further than the one that is open; the first where none is. */
  neighbour(step) {
    const row = this.#rows.get(this.#selected)?.element;
    const elements = [...this.#body.children];
    const place = row ? elements.indexOf(row) + step : 0;
    return this.#recordingOf(elements[Math.max(0, Math.min(place, elements.length - 1))]);
  }

  focus(key) {
    this.#rows.get(key)?.focus();
    this.reveal(key);
  }

  /** Scrolls no further than it takes to see the row: on a phone what is open lies over half of the list. */
  reveal(key) {
    this.#rows.get(key)?.element.scrollIntoView({ block: "nearest" });
  }

  /** Says once more what depends on the time. */
  tick() {
    for (const row of this.#rows.values()) row.tick();
  }

  #drop(key, row) {
    const had = row.element.contains(document.activeElement);
    const next = row.element.nextElementSibling ?? row.element.previousElementSibling;
    row.element.remove();
    this.#rows.delete(key);
    if (had) (next ? next.querySelector(".open") : byId("list")).focus();
  }

  #recordingOf(element) {
    for (const row of this.#rows.values()) if (row.element === element) return row.recording;
    return undefined;
  }

  /** The one row whose buttons the Tab key reaches: a list of hundreds is one stop, not hundreds. */
  #rove(row) {
    if (!row) return;
    for (const other of this.#body.querySelectorAll("tr[data-roving]")) if (other !== row) setRoving(other, false);
    setRoving(row, true);
  }

  #onKey(event) {
    const row = event.target.closest("tr");
    const moves = {
      ArrowDown: row?.nextElementSibling,
      ArrowUp: row?.previousElementSibling,
      Home: this.#body.firstElementChild,
      End: this.#body.lastElementChild,
    };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    moves[event.key]?.querySelector(".open").focus();
  }
}

function setRoving(row, on) {
  row.toggleAttribute("data-roving", on);
  for (const button of row.querySelectorAll("button")) button.tabIndex = on ? 0 : -1;
}

/** One row. */
class Row {
  #action;
  #length;
  #on;
  #open;
  #progress;
  #match;
  #said;
  #shown;
  #size;
  #state;
  #when;
  #why;

  constructor(recording, on) {
    this.recording = recording;
    this.#on = on;
    const cell = (name, ...children) => el("td", { role: "cell", class: `cell-${name}` }, ...children);
    this.#state = el("span", { class: "state" });
    this.#open = el("button", { type: "button", class: "open", tabindex: "-1" });
    this.#why = el("span", { class: "why" });
    this.#said = el("span", { class: "said", hidden: true });
    this.#progress = el("progress", { "aria-label": "Download", hidden: true });
    this.#when = el("time", {});
    this.#length = el("span", {});
    this.#size = el("span", {});
    this.#action = cell("action");
    this.element = el(
      "tr",
      { role: "row" },
      cell("state", this.#state),
      cell("call", this.#open, this.#why, this.#said, this.#progress),
      cell(
        "sid",
        el("code", { title: recording.recording_sid }, shortSid(recording.recording_sid)),
        copyButton("recording SID", recording.recording_sid, { tabindex: "-1" }),
      ),
      cell("when", this.#when),
      cell("length", this.#length),
      cell("size", this.#size),
      this.#action,
    );
    this.#open.addEventListener("click", (event) => {
      event.stopPropagation();
      // A click of the keyboard has no count.
      on.open(this.recording, { byKey: event.detail === 0 });
    });
    this.element.addEventListener("click", () => {
      // Whoever marks text to copy it opens nothing.
      if (!getSelection()?.toString()) on.open(this.recording, { byKey: false });
    });
  }

  show(recording, selected, match) {
    const changed = this.#shown && stateOf(this.recording).key !== stateOf(recording).key;
    this.recording = recording;
    this.mark(selected);
    if (this.#shown !== recording) this.#fill(recording);
    if (this.#match !== match) this.#fillSaid(match);
    this.#shown = recording;
    if (changed) {
      this.element.classList.add("changed");
      setTimeout(() => this.element.classList.remove("changed"), FLASH);
    }
  }

  mark(selected) {
    this.element.classList.toggle("selected", selected);
    if (selected) this.#open.setAttribute("aria-current", "true");
    else this.#open.removeAttribute("aria-current");
  }

  focus() {
    this.#open.focus();
  }

  tick() {
    this.#fillTimes();
  }

  #fill(recording) {
    const { key, word } = stateOf(recording);
    if (this.element.dataset.state !== key) {
      this.element.dataset.state = key;
      this.#state.className = `state state-${key}`;
      this.#state.replaceChildren(icon(key), word);
      this.#fillAction(key);
    }
    this.#open.replaceChildren(...callParts(recording));
    this.#progress.hidden = key !== "downloading";
    const seconds = secondsOf(recording.duration);
    setText(this.#length, seconds === undefined ? "–" : clockTime(seconds));
    this.#length.title = seconds === undefined ? "Twilio has not said how long it is" : spokenTime(seconds);
    setText(this.#size, recording.size_bytes === undefined ? "–" : size(recording.size_bytes));
    this.#size.title = recording.size_bytes === undefined ? "" : `${Number(recording.size_bytes).toLocaleString("en")} bytes`;
    this.#fillTimes();
  }

  #fillSaid(match) {
    this.#match = match;
    this.#said.hidden = !match;
    this.#said.replaceChildren(...(match ? markedSnippet(match) : []));
  }

  #fillTimes() {
    const { recording } = this;
    if (recording.create_time) {
      // What the list is sorted by. When the call began may be an hour earlier.
      const date = new Date(recording.create_time);
      this.#when.dateTime = recording.create_time;
      setText(this.#when, relative(date, now()));
      const began = recording.start_time ? ` The call was recorded from ${exact(new Date(recording.start_time))} on.` : "";
      this.#when.title = `Came here ${exact(date)}.${began}`;
    }
    // That most wait for nothing but their turn goes without saying.
    setText(this.#why, stateOf(recording).key === "waiting" && !recording.waiting_reason ? "" : whyText(recording));
  }

  #fillAction(key) {
    const name = callOf(this.recording);
    const tabindex = this.element.hasAttribute("data-roving") ? "0" : "-1";
    const button = (act, image, words) => {
      const made = el("button", { type: "button", class: "row-action", title: words, tabindex }, icon(image), unseen(`${words} ${name}`));
      made.addEventListener("click", (event) => {
        event.stopPropagation();
        act(this.recording);
      });
      return made;
    };
    if (key === "ready") this.#action.replaceChildren(button(this.#on.play, "play", "Play"));
    else if (key === "failed") this.#action.replaceChildren(button(this.#on.retry, "retry", "Fetch again"));
    else this.#action.replaceChildren();
  }
}

/** Numbers with an arrow between, and words for those who don't see it. */
export function callParts(recording) {
  const { from_number: from, to_number: to } = recording;
  if (from && to) return [number(from), unseen(" to "), icon("arrow"), number(to)];
  const text = callOf(recording);
  return [text[0].toUpperCase() + text.slice(1)];
}

function number(text) {
  return el("span", { class: "number", title: text }, text);
}

/** Why it is not to be had yet, or not at all, and how it goes on. Empty for what is ready. */
export function whyText(recording) {
  const { key } = stateOf(recording);
  if (key === "failed") return recording.failure_text ?? "";
  if (key === "downloading") return Number(recording.received_bytes) ? `${size(recording.received_bytes)} so far` : "Just begun";
  if (key !== "waiting") return "";
  const due = recording.next_attempt_time ? Date.parse(recording.next_attempt_time) : 0;
  const next = due > now() + 1000 ? ` Next try ${relative(new Date(due), now()).replace("just now", "now")}.` : "";
  return `${recording.waiting_text ?? ""}${recording.waiting_reason ? next : ""}`;
}
