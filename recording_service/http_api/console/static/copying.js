// Buttons that copy an identifier.

import { note } from "./announcements.js";
import { el, icon, unseen } from "./dom.js";

export function copyButton(what, text, attributes = {}) {
  const button = el(
    "button",
    { type: "button", class: "copy", title: `Copy ${text}`, ...attributes },
    icon("copy"),
    unseen(`Copy ${what}`),
  );
  button.addEventListener("click", async (event) => {
    event.stopPropagation();
    try {
      await navigator.clipboard.writeText(text);
      note(`${what} copied`);
    } catch {
      // Not allowed, or no HTTPS: the text is there to be marked.
      note(`Copying is not allowed here: ${text}`);
    }
  });
  return button;
}
