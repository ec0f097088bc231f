/** One server stream, read message by message. */
import { status as Code, type ChannelInterface, type Metadata, type StatusObject } from "@grpc/grpc-js";
import { startTimer, type Lifetime } from "./lifetime.js";
import { errorOf, unavailable } from "./translation.js";

/** How long a stream that has brought everything may take to end. */
const FINISH_MILLISECONDS = 1000;

/** What to open, and how. */
export interface StreamOpening {
  readonly path: string;
  readonly request: Buffer;
  readonly metadata: Metadata;
  /** When it ends at the latest; Infinity for never. */
  readonly deadline: Date | number;
}

/**
 * The messages of one call, as the bytes that came. It is made of gRPC's call itself, not of the stream of Node's that
 * generated stubs give: that one takes sixteen messages ahead, however large, and `for await` over it hides whether it
 * was left or has failed. Here one message is under way while another is used, and the rest waits at the service.
 *
 * `next` is for one caller at a time.
 */
export class MessageStream {
  readonly #call: ReturnType<ChannelInterface["createCall"]>;
  readonly #lifetime: Lifetime;
  readonly #takeBack: () => void;
  readonly #messages: Buffer[] = [];
  #status: StatusObject | undefined;
  #wake: (() => void) | undefined;
  #cancelled = false;
  #finishing: Promise<boolean> | undefined;

  /** Opens it, unless its lifetime is over: then `next` says so. */
  constructor(channel: ChannelInterface, opening: StreamOpening, lifetime: Lifetime) {
    this.#lifetime = lifetime;
    this.#call = channel.createCall(opening.path, opening.deadline, null, null, null);
    this.#takeBack = lifetime.onEnd(() => {
      this.cancel();
    });
    this.#call.start(opening.metadata, {
      onReceiveMetadata: () => undefined,
      onReceiveMessage: (message: Buffer) => {
        this.#messages.push(message);
        this.#wake?.();
      },
      onReceiveStatus: (status) => {
        this.#status = status;
        this.#takeBack();
        this.#wake?.();
      },
    });
    this.#call.startRead();
    this.#call.sendMessageWithContext({}, opening.request);
    this.#call.halfClose();
    if (lifetime.isOver) {
      this.cancel();
    }
  }

  /**
   * The next message; undefined at the end with OK.
   *
   * @param withinMilliseconds after so long without one the stream is cancelled, and it is an UnavailableError
   * @throws RecordingsError the stream has failed
   * @throws what its lifetime throws: it is over
   */
  async next(withinMilliseconds: number): Promise<Buffer | undefined> {
    if (this.#messages.length === 0 && this.#status === undefined && !this.#cancelled) {
      await this.#somethingCame(withinMilliseconds);
    }
    this.#lifetime.throwIfOver();
    const message = this.#messages.shift();
    if (message !== undefined) {
      if (this.#status === undefined) {
        this.#call.startRead();
      }
      return message;
    }
    if (this.#status === undefined) {
      this.cancel();
      throw unavailable("the stream has brought nothing for too long");
    }
    if (this.#status.code !== Code.OK) {
      throw errorOf(this.#status);
    }
    return undefined;
  }

  /**
   * Waits until it has ended, for a second at most: then it is cancelled. For one that has brought everything, whose
   * end is on its way: nothing but that second ends it any more. Idempotent.
   */
  async finish(): Promise<void> {
    this.#takeBack();
    this.#finishing ??= this.#status === undefined ? this.#somethingCame(FINISH_MILLISECONDS) : Promise.resolve(true);
    await this.#finishing;
    this.cancel();
  }

  /** Gives it up at once, and wakes who waits for it. Idempotent, and nothing if it has ended. */
  cancel(): void {
    if (!this.#cancelled && this.#status === undefined) {
      this.#cancelled = true;
      this.#call.cancelWithStatus(Code.CANCELLED, "the reader has left");
      this.#takeBack();
    }
    this.#messages.length = 0;
    this.#wake?.();
  }

  /** Waits for a message, the end or a cancellation; false if none of them came in that time. */
  async #somethingCame(withinMilliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (came: boolean): void => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(came);
      };
      const timer = startTimer(() => {
        finish(false);
      }, withinMilliseconds);
      this.#wake = () => {
        finish(true);
      };
    });
  }
}
