// What follows the download, in words: how far each step is, what was found, what is odd.

import { clockTime, counted, secondsOf } from "./words.js";

const WORDS = {
  PROBE: { name: "Sound", PENDING: "Waits to be listened to", RUNNING: "Being listened to…", DONE: "Listened to", FAILED: "Can't be read.", SKIPPED: "Not listened to." },
  WAVEFORM: { name: "Waveform", PENDING: "Waits to be drawn", RUNNING: "Being drawn…", DONE: "Drawn", FAILED: "None.", SKIPPED: "None." },
  TRANSCRIPT: { name: "Transcript", PENDING: "Waits to be written", RUNNING: "Being written…", DONE: "Written", FAILED: "None.", SKIPPED: "None." },
};
const BUSY = ["PENDING", "RUNNING"];

/** The state of a step by its name in the contract (`WAVEFORM`), without its prefix; empty: nobody asked for it. */
export function stepState(recording, name) {
  const step = recording.processing_steps?.find((each) => each.step === `PROCESSING_STEP_${name}`);
  return step ? step.state.replace("PROCESSING_STATE_", "") : "";
}

/** What is still being made of it, in a sentence; empty where nothing is. */
export function busyWords(recording) {
  const names = [["WAVEFORM", "The waveform"], ["TRANSCRIPT", "The transcript"]]
    .filter(([name]) => BUSY.includes(stepState(recording, name)))
    .map(([, word], index) => (index ? word.toLowerCase() : word));
  if (!names.length) return "";
  const late = recording.processing_waiting_reason ? " It did not work yet; it is tried again." : "";
  return `${names.join(" and ")} will appear here by ${names.length > 1 ? "themselves" : "itself"}.${late}`;
}

/** Each step with how far it is: `[name, words]`. A step that has no words yet is of a later service. */
export function stepFacts(recording) {
  return (recording.processing_steps ?? []).flatMap((step) => {
    const words = WORDS[step.step.replace("PROCESSING_STEP_", "")];
    const state = words?.[step.state.replace("PROCESSING_STATE_", "")];
    return state ? [[words.name, [state, step.text].filter(Boolean).join(" ")]] : [];
  });
}

/** What the probe has found: `[name, words]`. */
export function soundFacts({ probe }) {
  if (!probe) return [];
  const sounds = probe.channel_sounds ?? [];
  const rate = probe.sample_rate && `${probe.sample_rate / 1000} kHz`;
  const bits = probe.bit_rate && `${Math.round(probe.bit_rate / 1000)} kbit/s`;
  return [
    ["Length", exactTime(secondsOf(probe.duration))],
    ["Codec", [probe.codec, rate, bits].filter(Boolean).join(", ")],
    ["Channels", probe.channels && String(probe.channels)],
    ["Loudness", eachChannel(sounds, loudness)],
    ["Peak", eachChannel(sounds, peak)],
    ["Silence", eachChannel(sounds, (sound) => `${Math.round((sound.silence_share ?? 0) * 100)} %`)],
  ];
}

/** Of channels that sound alike it is said once. */
function eachChannel(sounds, words) {
  const said = sounds.map(words);
  if (new Set(said).size < 2) return said[0];
  return said.map((each, index) => `${each} (${index + 1})`).join(", ");
}

function loudness({ loudness_lufs: lufs }) {
  return lufs === undefined ? "too quiet to measure" : `${decimal(lufs)} LUFS`;
}

function peak({ peak_dbfs: dbfs }) {
  return dbfs === undefined ? "silent" : `${decimal(dbfs)} dB`;
}

/** `−21.5`, with a minus as long as a plus. */
function decimal(number) {
  return number.toFixed(1).replace("-", "−");
}

/** `15:41.4`: to the tenth of a second. */
function exactTime(seconds) {
  if (seconds === undefined) return "";
  const tenths = Math.round(seconds * 10);
  return tenths < 10 ? counted(tenths / 10, "second") : `${clockTime(Math.floor(tenths / 10))}.${tenths % 10}`;
}
