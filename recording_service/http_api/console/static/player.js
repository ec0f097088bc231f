// The player: one <audio> element with controls of our own, which say what they are and do to a screen reader. The seek
// bar lies over the waveform where there is one, and is the same slider.

import { Captions } from "./captions.js";
import { byId, memory, setText } from "./dom.js";
import { Waveform } from "./waveform.js";
import { clockTime, spokenTime } from "./words.js";

/** How far a key on the seek bar goes, in seconds. */
const STEP = 5;
const LEAP = 30;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

export class Player {
  #audio = byId("audio");
  #seek = byId("seek");
  #on;
  #url = "";
  #length = 0;
  #resumeAt = 0;
  #resumePlaying = false;
  /** Whether it is being loaded and not yet where it goes on. */
  #isReturning = false;
  #dragging = false;
  #moving = false;
  #waveform = new Waveform();
  #captions = new Captions({ seek: (seconds) => this.#goTo(seconds) });

  /** Calls `on.broken(code)` when the audio can't be loaded. */
  constructor(on) {
    this.#on = on;
    const audio = this.#audio;
    for (const name of ["play", "playing", "pause", "ended", "waiting", "canplay", "loadstart", "seeking", "seeked"]) {
      audio.addEventListener(name, () => this.#say());
    }
    for (const name of ["timeupdate", "durationchange", "progress", "seeked"]) audio.addEventListener(name, () => this.#draw());
    audio.addEventListener("playing", () => this.#move());
    audio.addEventListener("loadedmetadata", () => this.#resume());
    audio.addEventListener("error", () => this.#broken());
    byId("play").addEventListener("click", () => this.toggle());
    byId("back").addEventListener("click", () => this.skip(-10));
    byId("forward").addEventListener("click", () => this.skip(10));
    byId("player-again").addEventListener("click", () => this.again());
    this.#bindSeek();
    this.#bindSpeed();
    this.#bindVolume();
  }

  get isLoaded() {
    return this.#url !== "";
  }

  /** Loads a recording, unless it is this one already. `seconds`: how long it is said to be. */
  load(url, seconds, { play = false } = {}) {
    this.#length = seconds ?? 0;
    if (String(url) === this.#url) {
      if (play) void this.#play();
      return;
    }
    this.#url = String(url);
    this.#open(0, play);
  }

  /** Shows what was made of it: the addresses of its waveform and captions, `undefined` where there is none; `sought`:
   * words to be marked in them. */
  illustrate({ waveform, captions, sought = [] }) {
    void this.#waveform.load(waveform).then(() => this.#draw());
    this.#captions.load(captions, sought);
  }

  unload() {
    if (!this.isLoaded) return;
    this.illustrate({});
    this.#url = "";
    this.#audio.pause();
    this.#audio.removeAttribute("src");
    this.#audio.load();
    this.complain("");
  }

  /** Loads it once more, at the same place: after an error, or when a session has begun anew. */
  again() {
    this.#open(this.#resumeAt, this.#resumePlaying);
    // Whatever had the focus is hidden now.
    byId("play").focus();
  }

  get isBroken() {
    return !byId("player-error").hidden;
  }

  /** Shows what the matter is; the empty text: nothing is. */
  complain(words) {
    byId("player-error").hidden = !words;
    setText(byId("player-error-words"), words);
    if (words) setText(byId("player-words"), "");
  }

  toggle() {
    if (this.isBroken) this.again();
    else if (this.#audio.paused) void this.#play();
    else this.#audio.pause();
  }

  skip(seconds) {
    this.#goTo(this.#audio.currentTime + seconds);
  }

  toggleMute() {
    this.#audio.muted = !this.#audio.muted;
  }

  get #duration() {
    return Number.isFinite(this.#audio.duration) && this.#audio.duration > 0 ? this.#audio.duration : this.#length;
  }

  #open(at, play) {
    this.complain("");
    this.#resumeAt = at;
    this.#resumePlaying = play;
    this.#isReturning = true;
    this.#audio.src = this.#url;
    this.#audio.playbackRate = Number(byId("speed").value);
    if (play) void this.#play();
    this.#draw();
  }

  #resume() {
    this.#isReturning = false;
    if (this.#resumeAt > 0) this.#audio.currentTime = this.#resumeAt;
    this.#audio.playbackRate = Number(byId("speed").value);
    this.#draw();
  }

  async #play() {
    this.#resumePlaying = true;
    try {
      await this.#audio.play();
    } catch (error) {
      // AbortError: something else was loaded meanwhile. NotSupportedError comes with an error event of its own.
      if (error.name === "NotAllowedError") setText(byId("player-words"), "The browser waits for you to press Play.");
    }
  }

  #broken() {
    if (!this.isLoaded || !this.#audio.error) return;
    this.#on.broken(this.#audio.error.code);
  }

  #goTo(seconds) {
    if (this.#audio.readyState === 0) return;
    // Where it is to go on should the audio break before it is there.
    this.#resumeAt = Math.max(0, Math.min(seconds, this.#duration));
    this.#audio.currentTime = this.#resumeAt;
    this.#draw();
  }

  /** Sound tells its time four times a second: a waveform that is played moves as often as the screen does. */
  #move() {
    if (this.#moving) return;
    const step = () => {
      this.#moving = !this.#audio.paused && !this.#audio.ended && this.#waveform.isShown && !STILL.matches;
      if (!this.#moving) return;
      this.#draw();
      requestAnimationFrame(step);
    };
    step();
  }

  #bindSeek() {
    const seek = this.#seek;
    seek.addEventListener("pointerdown", () => (this.#dragging = true));
    for (const name of ["pointerup", "pointercancel", "change"]) seek.addEventListener(name, () => (this.#dragging = false));
    seek.addEventListener("input", () => this.#goTo(Number(seek.value)));
    seek.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -LEAP, PageUp: LEAP };
      if (!(event.key in steps)) return;
      event.preventDefault();
      this.skip(steps[event.key]);
    });
  }

  #bindSpeed() {
    const speed = byId("speed");
    const remembered = memory.get("speed");
    if ([...speed.options].some((option) => option.value === remembered)) speed.value = remembered;
    speed.addEventListener("change", () => {
      this.#audio.playbackRate = Number(speed.value);
      memory.set("speed", speed.value);
    });
  }

  #bindVolume() {
    const volume = byId("volume");
    const audio = this.#audio;
    const remembered = Number.parseFloat(memory.get("volume"));
    if (remembered >= 0 && remembered <= 1) audio.volume = remembered;
    const draw = () => {
      const shown = audio.muted ? 0 : Math.round(audio.volume * 100);
      volume.value = String(shown);
      volume.style.setProperty("--done", `${shown}%`);
      volume.setAttribute("aria-valuetext", `${shown} percent`);
      const silent = shown === 0;
      byId("mute-icon").setAttribute("href", silent ? "#icon-muted" : "#icon-loud");
      setText(byId("mute-words"), audio.muted ? "Unmute" : "Mute");
    };
    volume.addEventListener("input", () => {
      audio.volume = Number(volume.value) / 100;
      audio.muted = false;
      memory.set("volume", String(audio.volume));
    });
    byId("mute").addEventListener("click", () => this.toggleMute());
    audio.addEventListener("volumechange", draw);
    draw();
  }

  #draw() {
    const audio = this.#audio;
    const length = this.#duration;
    const at = Math.min(audio.currentTime, length || audio.currentTime);
    if (audio.readyState > 0 && !this.#isReturning && !audio.seeking && !audio.error) {
      this.#resumeAt = at;
      this.#resumePlaying = !audio.paused;
    }
    this.#seek.max = String(length);
    if (!this.#dragging) this.#seek.value = String(at);
    this.#seek.style.setProperty("--done", `${length ? (at / length) * 100 : 0}%`);
    this.#seek.style.setProperty("--loaded-to", `${length ? (loadedFrom(audio.buffered, at) / length) * 100 : 0}%`);
    this.#waveform.play(length ? at / length : 0);
    const spoken = `${spokenTime(at)} of ${spokenTime(length)}`;
    if (this.#seek.getAttribute("aria-valuetext") !== spoken) this.#seek.setAttribute("aria-valuetext", spoken);
    setText(byId("time-now"), clockTime(at));
    setText(byId("time-all"), clockTime(length));
  }

  #say() {
    const audio = this.#audio;
    const playing = !audio.paused && !audio.ended;
    byId("play-icon").setAttribute("href", playing ? "#icon-pause" : "#icon-play");
    setText(byId("play-words"), playing ? "Pause" : "Play");
    const loading = playing && audio.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !audio.error;
    setText(byId("player-words"), loading ? "Loading…" : audio.ended ? "The end." : "");
    this.#draw();
  }
}

/** Up to where there is audio without a gap, from this moment on. */
function loadedFrom(ranges, at) {
  for (let index = 0; index < ranges.length; index += 1) {
    if (ranges.start(index) <= at + 0.5 && at <= ranges.end(index)) return ranges.end(index);
  }
  return at;
}
