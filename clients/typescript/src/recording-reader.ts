/** Reads a recording, or a part of it, from anywhere in it. */
import { Checksum } from "./checksum.js";
import type { Connection } from "./connection.js";
import { ClientClosedError } from "./errors.js";
import type { Recording } from "./generated/recordings/v1/recording.js";
import type { Lifetime } from "./lifetime.js";
import type { Opening } from "./range-reading.js";
import { RecordingBytes, type Wanted } from "./recording-bytes.js";
import { RecordingPieces } from "./recording-pieces.js";
import { Serially } from "./serially.js";

/**
 * A recording, or a part of it. Places are the recording's own, in bytes from 0. It goes on at the exact byte after a
 * break, never mixes two versions, and compares a whole read in order with the recording's SHA-256.
 *
 * Nothing is asked of the service until something is read; then a stream is open: `close` the reader. After an error
 * reading may be tried again. Several reads at the same time are done one after the other; to have them side by side,
 * open a reader for each. Everything throws RecordingsError, ClientClosedError once it is closed, or the reason of the
 * signal that it was opened with.
 */
export class RecordingReader implements AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly #bytes: RecordingBytes;
  readonly #lifetime: Lifetime;
  readonly #start: number;
  readonly #serially = new Serially();
  readonly #checksum = new Checksum();

  /** @internal */
  constructor(connection: Connection, wanted: Wanted, lifetime: Lifetime) {
    this.#lifetime = lifetime;
    this.#start = wanted.range.offset;
    this.#bytes = new RecordingBytes(connection, wanted, lifetime);
  }

  /** What was opened, from its first byte to its last: each message as it comes, and no sooner than it is asked for. */
  [Symbol.asyncIterator](): RecordingPieces {
    return new RecordingPieces(this.#bytes, this.#start, this.#lifetime, this.#serially);
  }

  /** The same as a stream of the web's. Cancelling it cancels what is under way. */
  stream(): ReadableStream<Uint8Array> {
    const pieces = this[Symbol.asyncIterator]();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await pieces.next();
          if (done !== true) {
            controller.enqueue(value);
          } else if (!pieces.wasLeft) {
            controller.close();
          }
        },
        cancel: async () => {
          await pieces.return();
        },
      },
      // Nothing is read before somebody reads.
      { highWaterMark: 0 },
    );
  }

  /**
   * The bytes from one place to another, fewer only where the recording, or the part that was opened, ends sooner.
   *
   * @param start the first byte
   * @param end one past the last byte; left out: to the end
   * @throws RangeError one of them is negative or no integer, or `end` is before `start`
   * @throws ChecksumMismatchError with these bytes the whole recording would have been read, and it is another one
   */
  async read(start: number, end = Infinity): Promise<Uint8Array> {
    if (!(Number.isSafeInteger(start) && start >= 0)) {
      throw new RangeError("start: must be an integer, and not below 0");
    }
    if (!((Number.isSafeInteger(end) || end === Infinity) && end >= start)) {
      throw new RangeError("end: must be an integer, and not below start");
    }
    return this.#serially.run(async () => {
      this.#lifetime.throwIfOver();
      return this.#read(start, end);
    });
  }

  /** The recording, of the version that is read. Throws RangeError for a part without bytes, which is never opened. */
  async recording(): Promise<Recording> {
    return (await this.#opened()).recording;
  }

  /** How many bytes the whole recording has. Throws as `recording`. */
  async size(): Promise<number> {
    return (await this.#opened()).completeLength;
  }

  /** Cancels what is under way at once; reads that wait throw ClientClosedError. Idempotent. */
  // eslint-disable-next-line @typescript-eslint/require-await -- as everything that is closed here
  async close(): Promise<void> {
    const why = (): Error => new ClientClosedError("the reader is closed");
    this.#bytes.drop(why);
    this.#lifetime.end(why);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #read(start: number, end: number): Promise<Uint8Array> {
    let target = new Uint8Array();
    let taken = 0;
    // Not past an end that is known: finding it out again would take the stream's own end.
    while (start + taken < Math.min(end, this.#bytes.end ?? end)) {
      const piece = await this.#bytes.bring(start + taken);
      if (piece.length === 0) {
        break;
      }
      if (taken === 0) {
        target = new Uint8Array(Math.min(end, this.#bytes.end ?? end) - start);
      }
      const part = piece.subarray(0, target.length - taken);
      target.set(part, taken);
      taken += part.length;
      this.#bytes.handOutTo(start + taken);
    }
    if (this.#bytes.opening !== undefined) {
      this.#compared(start, target, this.#bytes.opening);
    }
    return target;
  }

  #compared(start: number, data: Uint8Array, opening: Opening): void {
    try {
      this.#checksum.take(start, data, opening);
    } catch (error) {
      this.#bytes.drop(() => new Error("the stream was given up"));
      throw error;
    }
  }

  async #opened(): Promise<Opening> {
    return this.#serially.run(async () => {
      this.#lifetime.throwIfOver();
      if (this.#bytes.opening === undefined) {
        await this.#bytes.bring(this.#start);
      }
      if (this.#bytes.opening === undefined) {
        throw new RangeError("a part without bytes is never opened");
      }
      return this.#bytes.opening;
    });
  }
}
