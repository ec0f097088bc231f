// The appearance that was chosen on this device, before anything is drawn. None: the system's.
"use strict";
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // No storage here (it may be forbidden): the system's appearance.
}
