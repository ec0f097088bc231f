/** Watches one recording across streams that end before they should. */
import { status as Code } from "@grpc/grpc-js";
import type { CallOptions, Connection } from "./connection.js";
import { DEFAULTS } from "./defaults.js";
import { ClientClosedError, ContractBrokenError, DeadlineExceededError } from "./errors.js";
import type { Recording } from "./generated/recordings/v1/recording.js";
import { RecordingServiceService } from "./generated/recordings/v1/recording_service.js";
import { WatchRecordingResponse, type WatchRecordingRequest } from "./generated/recordings/v1/watch.js";
import { Lifetime } from "./lifetime.js";
import type { MessageStream } from "./message-stream.js";
import { Serially } from "./serially.js";
import { Setbacks } from "./setbacks.js";
import { unavailable } from "./translation.js";

/** Of a watch. */
export interface WatchTimes extends CallOptions {
  /**
   * Of all of it: it goes on in spite of all breaks until then, and throws DeadlineExceededError. Left out: it has no
   * end, and gives up once `resumeAttempts` streams in a row have brought nothing.
   */
  readonly timeoutSeconds?: number | undefined;
}

const DONE = { done: true, value: undefined } as const;

/**
 * The recording as it is, then after each change, each revision once; it ends when the service says so. It opens its
 * stream again by itself and never polls.
 *
 * It has a stream open: leave it by `for await`, or `close` it. `next` throws RecordingsError, or the signal's reason.
 */
export class RecordingWatch implements AsyncIterableIterator<Recording, undefined, undefined>, AsyncDisposable {
  readonly #connection: Connection;
  readonly #request: WatchRecordingRequest;
  readonly #metadata: CallOptions["metadata"];
  readonly #setbacks: Setbacks;
  readonly #lifetime: Lifetime;
  readonly #serially = new Serially();
  /** When the time is over, by performance.now. */
  readonly #until: number;
  #messages: MessageStream | undefined;
  #lastRevision: number | undefined;
  #ended = false;

  /** @internal */
  constructor(connection: Connection, request: WatchRecordingRequest, times: WatchTimes, lifetime: Lifetime) {
    const { timeoutSeconds, signal, metadata } = times;
    if (timeoutSeconds !== undefined && !(timeoutSeconds > 0)) {
      throw new RangeError("timeoutSeconds: must be above 0");
    }
    this.#connection = connection;
    this.#request = request;
    this.#metadata = metadata;
    this.#setbacks = new Setbacks(connection.patience, { unlimited: timeoutSeconds !== undefined });
    this.#lifetime = new Lifetime(lifetime, signal);
    this.#until = timeoutSeconds === undefined ? Infinity : performance.now() + 1000 * timeoutSeconds;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next look at the recording, once there is one. */
  async next(): Promise<IteratorResult<Recording, undefined>> {
    return this.#serially.run(async () => {
      while (!this.#ended) {
        try {
          const look = await this.#receive();
          if (look !== undefined) {
            return { done: false, value: look };
          }
        } catch (error) {
          // By `close`, while somebody waited: that is no error.
          if (this.#lifetime.wasEnded) {
            break;
          }
          await this.close();
          throw error;
        }
      }
      return DONE;
    });
  }

  /** As `close`; what `for await` calls when it is left. */
  async return(): Promise<IteratorResult<Recording, undefined>> {
    await this.close();
    return DONE;
  }

  /** Cancels the stream at once; whoever waits for `next` is told that there is no more. Idempotent. */
  // eslint-disable-next-line @typescript-eslint/require-await -- as everything that is closed here
  async close(): Promise<void> {
    this.#ended = true;
    this.#lifetime.end(() => new ClientClosedError("the watch is closed"));
    this.#messages = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A look; undefined where there was none, and one has to look again. */
  async #receive(): Promise<Recording | undefined> {
    const leftSeconds = this.#leftSeconds();
    try {
      this.#messages ??= this.#connection.stream(
        RecordingServiceService.watchRecording,
        this.#request,
        this.#lifetime,
        { metadata: this.#metadata, timeoutSeconds: leftSeconds },
      );
      // A second more than the stream's own deadline, which comes first.
      const message = await this.#messages.next(1000 * (leftSeconds + 1));
      if (message === undefined) {
        this.#end();
        return undefined;
      }
      this.#setbacks.messageCame();
      return this.#newLook(message);
    } catch (error) {
      this.#messages?.cancel();
      this.#messages = undefined;
      const wait = this.#setbacks.after(ownDeadlineIsNoFault(error));
      // Not past the end of all.
      await this.#lifetime.pause(Math.min(wait, 1000 * this.#leftSeconds()));
      return undefined;
    }
  }

  #newLook(message: Buffer): Recording | undefined {
    const { recording } = decoded(message);
    if (recording === undefined) {
      throw new ContractBrokenError("a look without a recording");
    }
    if (recording.revision === this.#lastRevision) {
      return undefined;
    }
    this.#lastRevision = recording.revision;
    return recording;
  }

  /** The service has said that there is no more to come. */
  #end(): void {
    if (this.#lastRevision === undefined) {
      throw new ContractBrokenError("a watch that ends before its first look");
    }
    this.#ended = true;
    this.#messages = undefined;
  }

  /** How long a stream may last. */
  #leftSeconds(): number {
    const left = (this.#until - performance.now()) / 1000;
    if (left <= 0) {
      throw new DeadlineExceededError("the time to watch the recording is over", { code: Code.DEADLINE_EXCEEDED });
    }
    return Math.min(left, DEFAULTS.watchTimeoutSeconds);
  }
}

/** The stream's own deadline is no fault of anyone, as long as there is time left. */
function ownDeadlineIsNoFault(error: unknown): unknown {
  return error instanceof DeadlineExceededError ? unavailable(error.message, error) : error;
}

function decoded(message: Buffer): WatchRecordingResponse {
  try {
    return WatchRecordingResponse.decode(message);
  } catch (error) {
    throw new ContractBrokenError("a look that is no message", { cause: error });
  }
}
