/** The bytes of a recording, from any place of it: the rules f and h of clients/README.md. */
import type { CallOptions, Connection } from "./connection.js";
import { DEFAULTS } from "./defaults.js";
import { OffsetPastEndError } from "./errors.js";
import { WatchUntil } from "./generated/recordings/v1/watch.js";
import { Lifetime } from "./lifetime.js";
import type { ByteRange, Opening } from "./range-reading.js";
import { RangeStream } from "./range-stream.js";
import { readyRecording } from "./readiness.js";
import { RecordingWatch, type WatchTimes } from "./recording-watch.js";

const NOTHING = new Uint8Array();

/** What is to be read, and how. */
export interface Wanted {
  readonly range: ByteRange;
  readonly metadata: CallOptions["metadata"];
  /** How to wait for a recording that isn't READY; undefined: not at all. */
  readonly wait: WatchTimes | undefined;
}

/** Places are the recording's own. `bring` is for one caller at a time. */
export class RecordingBytes {
  readonly #connection: Connection;
  readonly #wanted: Wanted;
  readonly #lifetime: Lifetime;
  #waits: boolean;
  #opening: Opening | undefined;
  #stream: RangeStream | undefined;
  /** While it is waited for. */
  #watching: Lifetime | undefined;
  /** What has come from `#heldAt` on. */
  #held: Uint8Array = NOTHING;
  #heldAt = 0;
  /** One past the last byte that was handed out. */
  #handedOut = 0;
  /** As the service has said when a place past the end was asked for. */
  #sizeBytes: number | undefined;

  constructor(connection: Connection, wanted: Wanted, lifetime: Lifetime) {
    this.#connection = connection;
    this.#wanted = wanted;
    this.#lifetime = lifetime;
    this.#waits = wanted.wait !== undefined;
  }

  /** What the first message has said; undefined before it. */
  get opening(): Opening | undefined {
    return this.#opening;
  }

  /** One past the last byte that can be read; undefined as long as only the service knows. */
  get end(): number | undefined {
    return this.#opening?.end ?? (this.#sizeBytes === undefined ? undefined : this.#clipped(this.#sizeBytes));
  }

  /**
   * What there is from that place on, at most a message: a view into it. Empty at the end.
   *
   * @throws RecordingsError it can't be had, or not now; it may be asked for again
   */
  async bring(place: number): Promise<Uint8Array> {
    if (place >= (this.end ?? this.#wanted.range.end ?? Infinity)) {
      await this.#finish();
      return NOTHING;
    }
    try {
      const stream = await this.#reaching(place);
      while (place >= this.#heldAt + this.#held.length) {
        this.#heldAt += this.#held.length;
        this.#held = NOTHING;
        this.#held = await stream.read();
        this.#opening ??= stream.opening;
        if (this.#held.length === 0 && stream.isComplete) {
          return NOTHING;
        }
      }
    } catch (error) {
      this.drop(() => new Error("the stream was given up"));
      if (error instanceof OffsetPastEndError && place !== this.#wanted.range.offset && error.sizeBytes !== undefined) {
        // Who asks for a place past the end gets nothing there, as of any file.
        this.#sizeBytes = error.sizeBytes;
        return NOTHING;
      }
      throw error;
    }
    return this.#held.subarray(place - this.#heldAt);
  }

  /** The bytes up to that place were handed out. */
  handOutTo(place: number): void {
    this.#handedOut = place;
  }

  /** Gives up what has come and isn't used, and the stream, at once; a `bring` that waits throws that error. */
  drop(why: () => Error): void {
    this.#watching?.end(why);
    this.#stream?.cancel(why);
    this.#stream = undefined;
    this.#held = NOTHING;
  }

  async #reaching(place: number): Promise<RangeStream> {
    const furthest = Math.max(this.#heldAt + this.#held.length, this.#handedOut + DEFAULTS.seekAheadBytes);
    if (this.#stream !== undefined && this.#heldAt <= place && place <= furthest) {
      return this.#stream;
    }
    this.drop(() => new Error("the stream was given up"));
    if (this.#waits) {
      await this.#waitForReadiness();
      this.#waits = false;
    }
    const { range, metadata } = this.#wanted;
    const etag = this.#opening?.recording.etag ?? range.etag;
    const rest = { ...range, offset: place, end: this.end ?? range.end, etag };
    this.#stream = new RangeStream(this.#connection, rest, this.#lifetime, metadata);
    this.#heldAt = place;
    this.#handedOut = place;
    return this.#stream;
  }

  async #waitForReadiness(): Promise<void> {
    const { range, wait, metadata } = this.#wanted;
    const { accountSid, recordingSid } = range;
    const request = { accountSid, recordingSid, until: WatchUntil.WATCH_UNTIL_READY };
    this.#watching = new Lifetime(this.#lifetime);
    try {
      await readyRecording(new RecordingWatch(this.#connection, request, { ...wait, metadata }, this.#watching));
    } finally {
      this.#watching = undefined;
    }
  }

  async #finish(): Promise<void> {
    if (this.#stream?.isComplete === true) {
      await this.#stream.finish();
    }
  }

  #clipped(sizeBytes: number): number {
    return Math.min(sizeBytes, this.#wanted.range.end ?? sizeBytes);
  }
}
