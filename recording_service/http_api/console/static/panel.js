// What is known of the recording that is open, with the player, the reason why it can't be played, and what to do.

import { say } from "./announcements.js";
import { address, ask, Failure, recordingPath } from "./api.js";
import { copyButton } from "./copying.js";
import { byId, el, icon, setText } from "./dom.js";
import { callParts, whyText } from "./list.js";
import { Player } from "./player.js";
import { busyWords, soundFacts, stepFacts, stepState } from "./processing.js";
import { now } from "./server_clock.js";
import { keyOf } from "./store.js";
import { samplesPerPixel } from "./waveform.js";
import { clockTime, exact, mediaError, relative, secondsOf, size, sourceOf, stateOf } from "./words.js";

export class Panel {
  #on;
  #recording;
  #player;

  /** Calls `on.changed(recording)` after a look at it, `on.gone(recording)`, `on.signedOut()`, `on.closed()` and
   * `on.filter(name, sid)`; `on.soughtIn(recording)` gives the words by which it was found. */
  constructor(on) {
    this.#on = on;
    this.#player = new Player({ broken: (code) => void this.#explain(code) });
    byId("panel-close").addEventListener("click", () => this.close());
    byId("retry").addEventListener("click", () => void this.retry(this.#recording));
  }

  get player() {
    return this.#player;
  }

  get recording() {
    return this.#recording;
  }

  /** Opens a recording. */
  open(recording, { play = false } = {}) {
    const another = !this.#recording || keyOf(this.#recording) !== keyOf(recording);
    if (another) {
      this.#player.unload();
      setText(byId("retry-words"), "");
    }
    document.body.classList.add("has-open");
    byId("panel-none").hidden = true;
    byId("panel-full").hidden = false;
    this.#show(recording, play);
    if (another) byId("panel").scrollTop = 0;
  }

  /** A newer look at the recording that is open. */
  update(recording) {
    if (!this.#recording || keyOf(this.#recording) !== keyOf(recording)) return;
    const before = stateOf(this.#recording).key;
    this.#show(recording, false);
    const { key, word } = stateOf(recording);
    if (key !== before) say(`The open recording is now ${word.toLowerCase()}.`);
  }

  close() {
    if (!this.#recording) return;
    const closed = this.#recording;
    this.#recording = undefined;
    this.#player.unload();
    document.body.classList.remove("has-open");
    byId("panel-none").hidden = false;
    byId("panel-full").hidden = true;
    this.#on.closed(closed);
  }

  /** After signing in again: goes on where it was. */
  resume() {
    if (this.#recording && this.#player.isBroken) this.#player.again();
  }

  /** Looks at what is open once more; what can't be looked at stays as it was, and the connection says why. */
  async refresh() {
    try {
      await this.#lookAgain(this.#recording);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status === 401) this.#on.signedOut();
    }
  }

  /** Says once more what depends on the time. */
  tick() {
    if (!this.#recording) return;
    this.#fillReason(this.#recording);
    setText(byId("panel-sub"), subtitle(this.#recording));
  }

  /** Asks for a failed recording anew. */
  async retry(recording) {
    const words = (text) => keyOf(recording) === (this.#recording && keyOf(this.#recording)) && setText(byId("retry-words"), text);
    const button = byId("retry");
    button.disabled = true;
    words("Asking…");
    try {
      await ask(recordingPath(recording, "/retry"), { method: "POST", query: { account_sid: recording.account_sid } });
      words("");
      say("Asked for again.");
      await this.#lookAgain(recording);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status === 401) this.#on.signedOut();
      words(failure.message);
    } finally {
      button.disabled = false;
    }
  }

  #show(recording, play) {
    const { key, word } = stateOf(recording);
    this.#recording = recording;
    const state = byId("panel-state");
    state.className = `state state-${key}`;
    state.replaceChildren(icon(key), word);
    byId("panel-title").replaceChildren(...callParts(recording));
    setText(byId("panel-sub"), subtitle(recording));
    const ready = key === "ready";
    byId("player").hidden = !ready;
    const query = { account_sid: recording.account_sid };
    const download = byId("download");
    download.hidden = !ready;
    if (ready) {
      download.href = address(recordingPath(recording, "/download"), query).href;
      // Another version has another address: neither the player nor the browser's cache may splice two.
      const url = address(recordingPath(recording, "/stream"), { ...query, version: recording.etag });
      this.#player.load(url, secondsOf(recording.probe?.duration ?? recording.duration), { play });
      this.#player.illustrate({ ...illustrationsOf(recording), sought: this.#on.soughtIn(recording) });
    } else {
      this.#player.unload();
    }
    this.#fillReason(recording);
    this.#fillProcessing(recording);
    this.#fillFacts(recording);
  }

  #fillProcessing(recording) {
    setText(byId("processing-words"), busyWords(recording));
    const warnings = recording.probe?.warning_texts ?? [];
    byId("warnings").hidden = !warnings.length;
    byId("warnings").replaceChildren(...warnings.map((text) => el("li", {}, text)));
  }

  #fillReason(recording) {
    const { key } = stateOf(recording);
    const notice = byId("panel-notice");
    notice.hidden = key === "ready";
    notice.className = `notice notice-${key}`;
    setText(byId("panel-reason"), key === "downloading" ? `It is being fetched from Twilio: ${whyText(recording).toLowerCase()}.` : whyText(recording));
    const tries = recording.failures ? `${recording.failures === 1 ? "One try has" : `${recording.failures} tries have`} failed.` : "";
    setText(byId("panel-detail"), [key === "failed" ? recording.failure_message : "", tries].filter(Boolean).join(" "));
    byId("panel-progress").hidden = key !== "downloading";
    byId("retry").hidden = key !== "failed";
  }

  #fillFacts(recording) {
    const facts = [
      ["Recording", sid("recording SID", recording.recording_sid)],
      ["Call", recording.call_sid && sid("call SID", recording.call_sid, () => this.#on.filter("call_sids", recording.call_sid))],
      ["Account", sid("account SID", recording.account_sid, () => this.#on.filter("account_sids", recording.account_sid))],
      ["Conference", recording.conference_sid && sid("conference SID", recording.conference_sid)],
      ["Began", moment(recording.start_time)],
      ["Came here", moment(recording.create_time)],
      ["Ready since", moment(recording.ready_time)],
      ["Made by", sourceOf(recording)],
      ["Direction", recording.direction],
      ["Track", recording.track],
      ["Channels", !recording.probe && recording.channels && String(recording.channels)],
      ["Format", [recording.content_type, recording.size_bytes && size(recording.size_bytes)].filter(Boolean).join(", ")],
      ...soundFacts(recording),
      ...stepFacts(recording),
      ...Object.entries(recording.labels ?? {}).sort(),
    ].filter(([, value]) => value);
    byId("facts").replaceChildren(...facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  }

  /** The audio element says no more than "error": the service knows why. */
  async #explain(code) {
    const asked = this.#recording;
    let words = mediaError(code);
    try {
      await this.#lookAgain(asked);
      if (asked !== this.#recording && stateOf(this.#recording ?? asked).key !== "ready") return;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.status === 401) {
        this.#on.signedOut();
        words = "Your session has ended. Sign in again, and it goes on where it was.";
      } else {
        words = failure.message;
      }
    }
    this.#player.complain(words);
  }

  async #lookAgain(recording) {
    try {
      const query = { account_sid: recording.account_sid };
      this.#on.changed(await ask(recordingPath(recording), { query }));
    } catch (failure) {
      if (failure instanceof Failure && failure.status === 404) this.#on.gone(recording);
      throw failure;
    }
  }
}

/** Where the waveform and the captions are, of a recording that has them. Another version has another address. */
function illustrationsOf(recording) {
  const query = { account_sid: recording.account_sid, version: recording.etag };
  const made = (step, suffix, more = {}) =>
    stepState(recording, step) === "DONE" ? address(recordingPath(recording, suffix), { ...query, ...more }) : undefined;
  const zoom = samplesPerPixel(secondsOf(recording.probe?.duration), recording.probe?.sample_rate);
  return {
    waveform: made("WAVEFORM", "/waveform.dat", { samples_per_pixel: zoom }),
    captions: made("TRANSCRIPT", "/transcript.vtt"),
  };
}

function subtitle(recording) {
  const seconds = secondsOf(recording.duration);
  return [
    recording.create_time && relative(new Date(recording.create_time), now()),
    seconds !== undefined && clockTime(seconds),
    recording.size_bytes && size(recording.size_bytes),
  ].filter(Boolean).join(" · ");
}

function moment(text) {
  return text && el("time", { datetime: text, title: relative(new Date(text), now()) }, exact(new Date(text)));
}

function sid(what, text, filter) {
  const parts = [el("code", {}, text), copyButton(what, text)];
  if (filter) {
    const button = el("button", { type: "button", class: "copy", title: "Show only these" }, icon("search"), el("span", { class: "unseen" }, `Show only this ${what.replace(" SID", "")}'s recordings`));
    button.addEventListener("click", filter);
    parts.push(button);
  }
  return el("span", { class: "sid" }, ...parts);
}
