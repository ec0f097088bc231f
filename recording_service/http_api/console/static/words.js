// Everything that is said in words or figures: states, times, lengths, sizes, identifiers.

/** The states as people call them, with the tab that shows them. `key` names the icon and the colour as well. */
const STATES = {
  RECORDING_STATE_QUEUED: { key: "waiting", word: "Waiting", tab: "waiting" },
  RECORDING_STATE_DOWNLOADING: { key: "downloading", word: "Downloading", tab: "waiting" },
  RECORDING_STATE_READY: { key: "ready", word: "Ready", tab: "ready" },
  RECORDING_STATE_FAILED: { key: "failed", word: "Failed", tab: "failed" },
  RECORDING_STATE_DELETED: { key: "deleted", word: "Deleted", tab: "" },
};

export function stateOf(recording) {
  return STATES[recording.state] ?? { key: "waiting", word: "Unknown", tab: "" };
}

/** Who called whom; what is known instead where numbers are not. */
export function callOf(recording) {
  const { from_number: from, to_number: to } = recording;
  if (from && to) return `${from} to ${to}`;
  if (from) return `from ${from}`;
  if (to) return `to ${to}`;
  return recording.call_sid ? `call ${shortSid(recording.call_sid)}` : "call unknown";
}

/** `RE12ab…89cd`: enough to tell two apart at sight. */
export function shortSid(sid) {
  return sid.length > 13 ? `${sid.slice(0, 7)}…${sid.slice(-4)}` : sid;
}

/** Seconds of a protobuf Duration in JSON (`65s`); `undefined` where there is none. */
export function secondsOf(duration) {
  const seconds = Number.parseFloat(duration);
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** `1:05`, `1:02:03`. */
export function clockTime(seconds) {
  const whole = Math.floor(Math.max(0, seconds));
  const pair = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${pair(minutes)}:${pair(whole % 60)}` : `${minutes}:${pair(whole % 60)}`;
}

/** `1 minute 5 seconds`, to be heard. */
export function spokenTime(seconds) {
  const whole = Math.floor(Math.max(0, seconds));
  const parts = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ].filter(([number]) => number > 0);
  if (!parts.length) return "0 seconds";
  return parts.map(([number, unit]) => counted(number, unit)).join(" ");
}

export function counted(number, unit) {
  return `${number} ${unit}${number === 1 ? "" : "s"}`;
}

/** `412 kB`, `1.4 MB`: powers of 1000, as the units say. */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = Number(bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (unit === 0) return counted(value, "byte");
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `3 min ago`, `in 40 s`; a date where it is more than a week. */
export function relative(date, now) {
  const seconds = Math.round((now - date) / 1000);
  const distance = Math.abs(seconds);
  if (distance < 5) return "just now";
  if (distance >= 7 * DAY) return DATE.format(date);
  const steps = [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"], [1, "s"]];
  const [length, unit] = steps.find(([each]) => distance >= each);
  const text = `${Math.floor(distance / length)} ${unit}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const EXACT = new Intl.DateTimeFormat("en-GB", {
  weekday: "short", day: "numeric", month: "short", year: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Day, time to the second, and the time zone. */
export function exact(date) {
  return EXACT.format(date);
}

export function timeOfDay(date) {
  return TIME.format(date);
}

const SOURCES = {
  DialVerb: "Dialled call",
  Conference: "Conference",
  OutboundAPI: "Outbound call",
  Trunking: "SIP trunk",
  RecordVerb: "Message",
  StartCallRecordingAPI: "Recorded on request",
  StartConferenceRecordingAPI: "Conference, recorded on request",
};

/** How the recording came to be, as people call it; Twilio's own word where it is a new one. */
export function sourceOf(recording) {
  return SOURCES[recording.source] ?? recording.source ?? "";
}

/** What an `<audio>` element's error means. */
export function mediaError(code) {
  if (code === MediaError.MEDIA_ERR_DECODE) return "The browser can't decode this audio. Downloading it may still work.";
  if (code === MediaError.MEDIA_ERR_NETWORK) return "The connection broke off while the audio was loading.";
  return "The browser could not load the audio.";
}
