/** Brings one range in order, over as many gRPC streams as it takes. */
import type { CallOptions, Connection } from "./connection.js";
import { RecordingServiceService } from "./generated/recordings/v1/recording_service.js";
import { Lifetime } from "./lifetime.js";
import type { MessageStream } from "./message-stream.js";
import { RangeReading, type ByteRange, type Opening } from "./range-reading.js";
import { ContractBrokenError } from "./errors.js";
import { Setbacks } from "./setbacks.js";
import { unavailable } from "./translation.js";

const NOTHING = new Uint8Array();

/** Moves the messages and waits; what they mean is RangeReading's. `read` is for one caller at a time. */
export class RangeStream {
  readonly #connection: Connection;
  readonly #lifetime: Lifetime;
  readonly #metadata: CallOptions["metadata"];
  readonly #reading: RangeReading;
  readonly #setbacks: Setbacks;
  /** The gRPC stream; undefined while there is none. */
  #messages: MessageStream | undefined;
  #hasBegun = false;

  constructor(connection: Connection, wanted: ByteRange, lifetime: Lifetime, metadata: CallOptions["metadata"]) {
    this.#connection = connection;
    this.#lifetime = new Lifetime(lifetime);
    this.#metadata = metadata;
    this.#reading = new RangeReading(wanted);
    this.#setbacks = new Setbacks(connection.patience);
  }

  /** What the first message has said; undefined before the first `read`. */
  get opening(): Opening | undefined {
    return this.#reading.opening;
  }

  /** Whether every byte has come. */
  get isComplete(): boolean {
    return this.#reading.isComplete;
  }

  /**
   * The next bytes, at most a message: a view into it. Empty once all of the range has come, or where the first
   * message of all has brought none.
   *
   * @throws RecordingsError the rest can't be had, or not now
   * @throws what its lifetime throws: it is over
   */
  async read(): Promise<Uint8Array> {
    while (!this.#reading.isComplete) {
      const isFirstOfAll = this.#reading.opening === undefined;
      try {
        const data = await this.#receive();
        if (data.length > 0 || isFirstOfAll) {
          this.#setbacks.messageCame();
          return data;
        }
      } catch (error) {
        this.#drop();
        await this.#lifetime.pause(this.#setbacks.after(error));
      }
    }
    return NOTHING;
  }

  /** Lets a stream that has brought everything end by itself: the service would take it for an abandoned one. */
  async finish(): Promise<void> {
    const ending = this.#messages;
    this.#messages = undefined;
    await ending?.finish();
  }

  /** Ends it at once, for good; who waits for it gets that error. Idempotent. */
  cancel(why: () => Error): void {
    if (this.#reading.isComplete) {
      void this.finish();
    }
    this.#lifetime.end(why);
  }

  async #receive(): Promise<Uint8Array> {
    const messages = this.#opened();
    const message = await messages.next(1000 * this.#connection.patience.stallTimeoutSeconds);
    if (message === undefined) {
      throw this.#hasBegun
        ? unavailable("the stream has ended before its last byte")
        : new ContractBrokenError("a stream without a first message");
    }
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    return isFirst ? this.#reading.first(message) : this.#reading.later(message);
  }

  #opened(): MessageStream {
    if (this.#messages === undefined) {
      this.#hasBegun = false;
      this.#messages = this.#connection.stream(
        RecordingServiceService.streamRecording,
        this.#reading.request(),
        this.#lifetime,
        { metadata: this.#metadata },
      );
    }
    return this.#messages;
  }

  #drop(): void {
    this.#messages?.cancel();
    this.#messages = undefined;
  }
}
