/** What the calls of a client are made on. */
import { Client, Metadata, type ServiceError, type requestCallback } from "@grpc/grpc-js";
import { channelOptions, credentialsOf } from "./channel-options.js";
import { ClientClosedError, ContractBrokenError, InvalidOptionError } from "./errors.js";
import { Lifetime } from "./lifetime.js";
import { MessageStream } from "./message-stream.js";
import { patienceOf, tlsFilesOf, tokenOf, type ClientOptions, type Patience } from "./options.js";
import { isLocal } from "./targets.js";
import { errorOf } from "./translation.js";

/** Of every call. */
export interface CallOptions {
  /** Ends the call at once when it is aborted; the call then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Goes with the call, as an id of the request. An `authorization` takes the place of the client's token. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Of a call with one answer. */
export interface UnaryCallOptions extends CallOptions {
  /** How long to wait for the answer. Left out: as the client's. */
  readonly timeoutSeconds?: number | undefined;
}

/** One of the generated service's methods with one answer. */
interface UnaryMethod<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (response: Buffer) => Response;
}

/** One of its methods with a stream of answers. */
interface StreamMethod<Request> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
}

/** A channel, the token that goes with its calls, and whatever is under way on it. */
export class Connection {
  readonly patience: Patience;
  /** Until `close`. */
  readonly lifetime = new Lifetime();
  readonly #client: Client;
  readonly #token: string;

  /** Connects when it is used. Throws InvalidOptionError if a client can't be made like this. */
  constructor(target: string, options: ClientOptions) {
    if (target.trim() === "") {
      throw new InvalidOptionError("target: is empty; name one, such as 127.0.0.1:50051");
    }
    this.patience = patienceOf(options);
    this.#token = tokenOf(options);
    const credentials = credentialsOf(tlsFilesOf(target, options));
    try {
      this.#client = new Client(target, credentials, channelOptions(isLocal(target)));
    } catch (error) {
      throw new InvalidOptionError(`target: gRPC can make nothing of ${target}`, { cause: error });
    }
  }

  /** Makes a call with one answer. Throws RecordingsError, or the signal's reason. */
  async ask<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    { timeoutSeconds = this.patience.timeoutSeconds, signal, metadata }: UnaryCallOptions,
  ): Promise<Response> {
    const bytes = method.requestSerialize(request);
    const deadline = deadlineAfter(timeoutSeconds);
    const lifetime = new Lifetime(this.lifetime, signal);
    lifetime.throwIfOver();
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const settle: requestCallback<Buffer> = (error: ServiceError | null, value?: Buffer) => {
        takeBack();
        if (error === null && value !== undefined) {
          resolve(value);
        } else {
          reject(error ?? new ContractBrokenError("an answer without a message"));
        }
      };
      const call = this.#client.makeUnaryRequest(
        method.path,
        asTheyAre,
        asTheyAre,
        bytes,
        this.#metadata(metadata),
        { deadline },
        settle,
      );
      const takeBack = lifetime.onEnd(() => {
        call.cancel();
      });
    }).catch((error: unknown) => {
      lifetime.throwIfOver();
      throw isServiceError(error) ? errorOf(error) : error;
    });
    try {
      return method.responseDeserialize(answer);
    } catch (error) {
      throw new ContractBrokenError("an answer that is no message", { cause: error });
    }
  }

  /** Opens a stream; it fails, if it does, in its `next`. Throws if the lifetime is over. */
  stream<Request>(
    method: StreamMethod<Request>,
    request: Request,
    lifetime: Lifetime,
    { metadata, timeoutSeconds }: { metadata?: CallOptions["metadata"]; timeoutSeconds?: number },
  ): MessageStream {
    const opening = {
      path: method.path,
      request: method.requestSerialize(request),
      metadata: this.#metadata(metadata),
      deadline: timeoutSeconds === undefined ? Infinity : deadlineAfter(timeoutSeconds),
    };
    lifetime.throwIfOver();
    return new MessageStream(this.#client.getChannel(), opening, lifetime);
  }

  /** Ends whatever is under way, and closes the channel. Idempotent. */
  close(): void {
    this.lifetime.end(() => new ClientClosedError("the client is closed"));
    this.#client.close();
  }

  #metadata(further: CallOptions["metadata"]): Metadata {
    const metadata = new Metadata();
    if (this.#token !== "") {
      metadata.set("authorization", `Bearer ${this.#token}`);
    }
    for (const [key, value] of Object.entries(further ?? {})) {
      metadata.set(key, value);
    }
    return metadata;
  }
}

function asTheyAre(bytes: Buffer): Buffer {
  return bytes;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error && "metadata" in error;
}

function deadlineAfter(seconds: number): number {
  if (!(seconds > 0)) {
    throw new RangeError("timeoutSeconds: must be above 0");
  }
  return Date.now() + 1000 * seconds;
}
