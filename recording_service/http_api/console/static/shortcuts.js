// Keys that work everywhere on the page, except where they have a meaning already. They can be switched off, for people
// whose screen reader or voice control uses letters.

import { byId, memory } from "./dom.js";

/** `actions` maps keys to functions. */
export function bindShortcuts(actions) {
  const on = byId("keys-on");
  on.checked = memory.get("keys") !== "off";
  on.addEventListener("change", () => memory.set("keys", on.checked ? "on" : "off"));
  const help = byId("help");
  byId("help-open").addEventListener("click", () => help.showModal());
  const all = { ...actions, "?": () => help.showModal() };
  document.addEventListener("keydown", (event) => {
    if (!on.checked && event.key !== "Escape") return;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") || isTaken(event)) return;
    const act = all[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

/** Whether the key has a meaning where the focus is. */
function isTaken({ target, key }) {
  if (target.closest("input[type='radio'], input[type='checkbox']")) return key === " " || key.startsWith("Arrow");
  if (target.closest("input[type='range']")) return key.startsWith("Arrow");
  if (target.closest("input, select, textarea, [contenteditable]")) return key !== "Escape";
  // On the row of what is open, Space plays: opening it once more would do nothing.
  if (target.closest("tr.selected[data-state='ready'] button:not(.copy)")) return false;
  return key === " " && target.closest("button, a[href], summary") !== null;
}
