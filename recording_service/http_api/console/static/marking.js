// Marks in a text what was looked for.

import { el } from "./dom.js";

/** What is said, with the places marked that the service has found. They are counted in code points. */
export function markedSnippet({ snippet, highlights }) {
  const points = [...snippet];
  const parts = [];
  let at = 0;
  for (const { start, end } of highlights) {
    parts.push(points.slice(at, start).join(""), el("mark", {}, points.slice(start, end).join("")));
    at = end;
  }
  return ["… ", ...parts, points.slice(at).join(""), " …"];
}

/** The words that were found, as they are written there. */
export function wordsOf({ snippet, highlights }) {
  const points = [...snippet];
  return [...new Set(highlights.map(({ start, end }) => points.slice(start, end).join("").toLowerCase()))];
}

/** A text with such words marked, in whatever case; `undefined` where there is none. */
export function markedText(text, words) {
  if (!words.length) return undefined;
  const either = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  const pieces = text.split(new RegExp(`(?<![\\p{L}\\p{N}])(${either})(?![\\p{L}\\p{N}])`, "giu"));
  // The odd ones are what was split at.
  return pieces.length > 1 ? pieces.map((piece, index) => (index % 2 ? el("mark", {}, piece) : piece)) : undefined;
}
