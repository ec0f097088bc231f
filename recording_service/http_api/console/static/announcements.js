// What a screen reader is told, politely and not too often, and the short notes that are seen.

import { byId, setText } from "./dom.js";
import { counted, stateOf } from "./words.js";

/** Between two announcements of changes, in milliseconds: a busy list would never be silent. */
const PAUSE = 6000;
const TOAST = 2500;

const TOLD = { ready: "ready", failed: "failed", downloading: "downloading", waiting: "waiting" };

const pending = new Map();
let timer;
let toastTimer;

/** Says something at once. */
export function say(text) {
  // Saying the same again counts as a change only if the text has gone meanwhile.
  byId("announcements").textContent = "";
  requestAnimationFrame(() => setText(byId("announcements"), text));
}

/** A short note that is seen and heard. */
export function note(text) {
  const toast = byId("toast");
  setText(toast, text);
  toast.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (toast.hidden = true), TOAST);
  say(text);
}

/** A recording has changed its state; told together with others. */
export function tellChange(recording) {
  const { key } = stateOf(recording);
  if (!(key in TOLD)) return;
  pending.set(`${recording.account_sid}/${recording.recording_sid}`, key);
  timer ??= setTimeout(tellPending, PAUSE);
}

function tellPending() {
  timer = undefined;
  const numbers = new Map();
  for (const key of pending.values()) numbers.set(key, (numbers.get(key) ?? 0) + 1);
  pending.clear();
  const parts = Object.keys(TOLD).filter((key) => numbers.has(key));
  say(parts.map((key) => `${counted(numbers.get(key), "recording")} now ${TOLD[key]}`).join(", "));
}
