// The waveform behind the seek bar: audiowaveform's binary form, drawn as bars, a lane for each channel.

import { bytesOf, Failure } from "./api.js";
import { byId, setText } from "./dom.js";
import { counted } from "./words.js";

/** Of a bar and the gap after it, in CSS pixels. */
const BAR = 2;
const GAP = 1;
/** How much louder than it is a quiet recording is drawn at most. Of one recording all channels are drawn alike. */
const MOST_GAIN = 8;
/** As many pixels as a panel is wide at a high density: no finer zoom than that is asked for. */
const PIXELS = 800;
/** The size of the header, version 2 and "8 bits", as doc/DataFormat.md of bbc/audiowaveform has them. */
const HEADER = 24;
const VERSION = 2;
const EIGHT_BITS = 1;

/** The zoom to ask for, in samples a pixel; `undefined` where nobody knows how long it is: the finest. */
export function samplesPerPixel(seconds, rate) {
  return seconds && rate ? Math.max(1, Math.floor((seconds * rate) / PIXELS)) : undefined;
}

export class Waveform {
  #box = byId("sound");
  #canvas = byId("waveform");
  #url = "";
  #wave;
  #bars;
  #share = 0;

  constructor() {
    new ResizeObserver(() => this.#fit()).observe(this.#canvas);
    // Zooming changes how many dots a pixel has, and not always the size in pixels.
    addEventListener("resize", () => this.#fit());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    new MutationObserver(() => this.#draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  get isShown() {
    return this.#wave !== undefined;
  }

  /** Shows the waveform of this address, unless it is this one already; `undefined`: none. */
  async load(url) {
    const wanted = url === undefined ? "" : String(url);
    if (wanted === this.#url) return;
    this.#url = wanted;
    this.#show(undefined);
    setText(byId("waveform-words"), "");
    if (!wanted) return;
    try {
      const wave = waveformOf(await bytesOf(wanted));
      if (wanted === this.#url) this.#show(wave);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (wanted !== this.#url) return;
      // The player is as it is without one, and the next look at the recording tries again.
      this.#url = undefined;
      setText(byId("waveform-words"), `The waveform could not be loaded. ${failure.message}`);
    }
  }

  /** How much of it has been played, from 0 to 1. */
  play(share) {
    if (share === this.#share) return;
    this.#share = share;
    this.#draw();
  }

  #show(wave) {
    // Without a pixel there is nothing to be seen.
    this.#wave = wave?.length ? wave : undefined;
    this.#bars = undefined;
    this.#canvas.hidden = !this.isShown;
    this.#box.classList.toggle("has-waveform", this.isShown);
    if (!this.isShown) return;
    const { channels } = this.#wave;
    this.#box.dataset.lanes = channels === 1 ? "one" : "several";
    const lanes = channels === 1 ? "" : `, ${counted(channels, "channel")} one above the other`;
    this.#canvas.setAttribute("aria-label", `Waveform of the recording${lanes}`);
    this.#fit();
  }

  #fit() {
    if (!this.isShown) return;
    const width = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    const height = Math.round(this.#canvas.clientHeight * devicePixelRatio);
    if (!width || !height) return;
    // Even where nothing has changed this would wipe it.
    if (this.#canvas.width !== width || this.#canvas.height !== height || !this.#bars) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#bars = barsOf(this.#wave, width, height, devicePixelRatio);
    }
    this.#draw();
  }

  #draw() {
    if (!this.#bars) return;
    const { width, height } = this.#canvas;
    const context = this.#canvas.getContext("2d");
    // The style sheet's, for light and dark.
    const { color, borderTopColor } = getComputedStyle(this.#canvas);
    context.clearRect(0, 0, width, height);
    const played = Math.round(this.#share * width);
    fill(context, this.#bars, color, played, width - played, height);
    fill(context, this.#bars, borderTopColor, 0, played, height);
  }
}

function fill(context, bars, colour, left, width, height) {
  context.save();
  context.beginPath();
  context.rect(left, 0, width, height);
  context.clip();
  context.fillStyle = colour;
  context.fill(bars);
  context.restore();
}

/** One path with every bar in it: it is drawn dozens of times a second, and made when the size changes. */
function barsOf({ channels, length, peaks }, width, height, density) {
  const path = new Path2D();
  const bar = Math.max(1, Math.round(BAR * density));
  const step = bar + Math.max(1, Math.round(GAP * density));
  const lane = height / channels;
  const gain = Math.min(MOST_GAIN, 128 / Math.max(1, loudest(peaks)));
  // A gap between two lanes.
  const scale = (gain * (lane / 2 - density)) / 128;
  for (let channel = 0; channel < channels; channel += 1) {
    const middle = Math.round(lane * (channel + 0.5));
    for (let x = 0; x < width; x += step) {
      const from = Math.min(length - 1, Math.floor((x / width) * length));
      const to = Math.max(from + 1, Math.min(length, Math.floor(((x + step) / width) * length)));
      const [least, greatest] = extremes(peaks, channels, channel, from, to);
      const top = Math.round(middle - Math.max(0, greatest) * scale);
      const bottom = Math.round(middle - Math.min(0, least) * scale);
      // Silence is a line, and not nothing.
      path.rect(x, top, bar, Math.max(Math.round(density), bottom - top));
    }
  }
  return path;
}

function loudest(peaks) {
  let most = 0;
  for (const peak of peaks) most = Math.max(most, Math.abs(peak));
  return most;
}

function extremes(peaks, channels, channel, from, to) {
  let [least, greatest] = [127, -128];
  for (let pixel = from; pixel < to; pixel += 1) {
    const place = 2 * (pixel * channels + channel);
    least = Math.min(least, peaks[place]);
    greatest = Math.max(greatest, peaks[place + 1]);
  }
  return [least, greatest];
}

function waveformOf(buffer) {
  const view = new DataView(buffer);
  const isOurs = buffer.byteLength >= HEADER && view.getInt32(0, true) === VERSION && view.getUint32(4, true) === EIGHT_BITS;
  if (!isOurs) throw new Failure(0, "", "What came is no waveform.");
  return { length: view.getUint32(16, true), channels: view.getInt32(20, true), peaks: new Int8Array(buffer, HEADER) };
}
