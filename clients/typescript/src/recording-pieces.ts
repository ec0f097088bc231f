/** What was opened of a recording, in the pieces that it comes in. */
import { Checksum } from "./checksum.js";
import type { Lifetime } from "./lifetime.js";
import type { RecordingBytes } from "./recording-bytes.js";
import type { Serially } from "./serially.js";

const DONE = { done: true, value: undefined } as const;

/** One pass over it: its own place, and its own comparing with the SHA-256. Leaving it cancels the stream at once. */
export class RecordingPieces implements AsyncIterableIterator<Uint8Array, undefined, undefined> {
  readonly #bytes: RecordingBytes;
  readonly #lifetime: Lifetime;
  readonly #serially: Serially;
  readonly #checksum = new Checksum();
  #place: number;
  #isReading = false;
  #isOver = false;
  #wasLeft = false;

  /** @internal */
  constructor(bytes: RecordingBytes, start: number, lifetime: Lifetime, serially: Serially) {
    this.#bytes = bytes;
    this.#place = start;
    this.#lifetime = lifetime;
    this.#serially = serially;
  }

  /** Whether it was left before its end. */
  get wasLeft(): boolean {
    return this.#wasLeft;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * The next bytes, at most a message: a view into what came, which is the caller's.
   *
   * @throws ChecksumMismatchError these are the last bytes of the whole recording, and it is another one
   */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return this.#serially.run(async () => {
      if (this.#isOver) {
        return DONE;
      }
      this.#lifetime.throwIfOver();
      this.#isReading = true;
      try {
        return this.#handOut(await this.#bytes.bring(this.#place));
      } catch (error) {
        if (this.#wasLeft) {
          return DONE;
        }
        throw error;
      } finally {
        this.#isReading = false;
      }
    });
  }

  /** What `for await` calls when it is left. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#wasLeft = true;
      const giveUp = (): void => {
        this.#bytes.drop(() => new Error("the pieces were left"));
      };
      if (this.#isReading) {
        giveUp();
      } else {
        // Not while another read of the same reader is under way.
        await this.#serially.run(async () => {
          giveUp();
          return Promise.resolve();
        });
      }
    }
    return DONE;
  }

  #handOut(piece: Uint8Array): IteratorResult<Uint8Array, undefined> {
    if (piece.length === 0) {
      this.#isOver = true;
      return DONE;
    }
    if (this.#bytes.opening !== undefined) {
      try {
        this.#checksum.take(this.#place, piece, this.#bytes.opening);
      } catch (error) {
        this.#bytes.drop(() => new Error("the stream was given up"));
        throw error;
      }
    }
    this.#place += piece.length;
    this.#bytes.handOutTo(this.#place);
    return { done: false, value: piece };
  }
}
