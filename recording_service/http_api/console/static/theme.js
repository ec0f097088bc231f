// Light or dark: the system's choice, until somebody chooses otherwise on this device.

import { byId, memory, setText } from "./dom.js";

const system = matchMedia("(prefers-color-scheme: dark)");

export function bindTheme() {
  const root = document.documentElement;
  const current = () => root.dataset.theme ?? (system.matches ? "dark" : "light");
  const draw = () => setText(byId("theme-words"), current() === "dark" ? "Light appearance" : "Dark appearance");
  byId("theme").addEventListener("click", () => {
    const chosen = current() === "dark" ? "light" : "dark";
    root.dataset.theme = chosen;
    memory.set("theme", chosen);
    draw();
  });
  system.addEventListener("change", draw);
  draw();
}
