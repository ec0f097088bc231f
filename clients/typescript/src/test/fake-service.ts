/** The generated service over real connections; it misbehaves on command, and counts what is open. */
import type { EventEmitter } from "node:events";
import {
  Server,
  ServerCredentials,
  type Metadata,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  type StatusObject,
} from "@grpc/grpc-js";
import {
  EnqueueReason,
  EnqueueRecordingResponse,
  type BatchEnqueueRecordingsRequest,
  type BatchEnqueueRecordingsResponse,
  type EnqueueRecordingRequest,
} from "../generated/recordings/v1/enqueue.js";
import type { DeleteRecordingRequest, DeleteRecordingResponse } from "../generated/recordings/v1/deletion.js";
import { ListRecordingsResponse, type ListRecordingsRequest } from "../generated/recordings/v1/lookup.js";
import type { GetRecordingRequest, GetRecordingResponse } from "../generated/recordings/v1/lookup.js";
import { CreatePlaybackUrlResponse, type CreatePlaybackUrlRequest } from "../generated/recordings/v1/playback_url.js";
import { RecordingServiceService, type RecordingServiceServer } from "../generated/recordings/v1/recording_service.js";
import type { StreamRecordingRequest, StreamRecordingResponse } from "../generated/recordings/v1/stream.js";
import type {
  WatchRecordingRequest,
  WatchRecordingResponse,
  WatchRecordingsRequest,
  WatchRecordingsResponse,
} from "../generated/recordings/v1/watch.js";

/** What an answer is made by: a message, a status that is thrown, or a promise that never comes. */
export type Answer<Q, A> = (request: Q, call: number) => A | Promise<A>;
export type Script<Q, A> = (play: Play<Q, A>) => Promise<void>;

/** One stream that is served. */
export class Play<Q, A> {
  readonly request: Q;
  /** Which one it is of its kind, counted from 0. */
  readonly opening: number;
  /** When the client is gone. */
  readonly left: Promise<void>;
  readonly #call: ServerWritableStream<Q, A>;

  constructor(call: ServerWritableStream<Q, A>, opening: number) {
    this.#call = call;
    this.request = call.request;
    this.opening = opening;
    this.left = heard(call, "cancelled");
  }

  /** Sends a message, no faster than it is taken. */
  async send(message: A): Promise<void> {
    if (!this.#call.cancelled && !this.#call.write(message)) {
      await Promise.race([heard(this.#call, "drain"), this.left]);
    }
  }
}

async function heard(emitter: EventEmitter, event: string): Promise<void> {
  return new Promise((resolve) => {
    emitter.once(event, () => {
      resolve();
    });
  });
}

const never = new Promise<never>(() => undefined);

/** An answer that doesn't come. */
export async function noAnswer(): Promise<never> {
  return never;
}

export class FakeService {
  /** What StreamRecording was opened with. */
  readonly openings: StreamRecordingRequest[] = [];
  readonly watches: WatchRecordingRequest[] = [];
  /** The requests of calls with one answer, by the method. */
  readonly calls: [method: string, request: unknown][] = [];
  readonly headers: Metadata[] = [];
  /** Streams and watches that are open. */
  open = 0;

  stream: Script<StreamRecordingRequest, StreamRecordingResponse> = unexpected;
  watch: Script<WatchRecordingRequest, WatchRecordingResponse> = unexpected;
  enqueue: Answer<EnqueueRecordingRequest, EnqueueRecordingResponse> = () =>
    EnqueueRecordingResponse.fromPartial({ reason: EnqueueReason.ENQUEUE_REASON_ENQUEUED });
  batch: Answer<BatchEnqueueRecordingsRequest, BatchEnqueueRecordingsResponse> = unexpected;
  get: Answer<GetRecordingRequest, GetRecordingResponse> = unexpected;
  list: Answer<ListRecordingsRequest, ListRecordingsResponse> = () => ListRecordingsResponse.fromPartial({});
  url: Answer<CreatePlaybackUrlRequest, CreatePlaybackUrlResponse> = () => CreatePlaybackUrlResponse.fromPartial({});
  delete: Answer<DeleteRecordingRequest, DeleteRecordingResponse> = unexpected;

  readonly #credentials: ServerCredentials;
  #server: Server | undefined;
  #port = 0;

  constructor(credentials = ServerCredentials.createInsecure()) {
    this.#credentials = credentials;
  }

  get target(): string {
    return `127.0.0.1:${String(this.#port)}`;
  }

  /** Listens, at the port it had before if it did before. */
  async start(): Promise<void> {
    const server = new Server();
    server.addService(RecordingServiceService, this.#handlers());
    this.#port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${String(this.#port)}`, this.#credentials, (error, port) => {
        if (error === null) {
          resolve(port);
        } else {
          reject(error);
        }
      });
    });
    this.#server = server;
  }

  /** Cuts every connection. Idempotent. */
  stop(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  #handlers(): RecordingServiceServer {
    return {
      enqueueRecording: this.#unary("enqueue", async (request, call) => this.enqueue(request, call)),
      batchEnqueueRecordings: this.#unary("batch", async (request, call) => this.batch(request, call)),
      reportRecordingUnavailable: this.#unary("report", unexpected),
      getRecording: this.#unary("get", async (request, call) => this.get(request, call)),
      listRecordings: this.#unary("list", async (request, call) => this.list(request, call)),
      createPlaybackUrl: this.#unary("url", async (request, call) => this.url(request, call)),
      getWaveform: this.#unary("waveform", unexpected),
      getTranscript: this.#unary("transcript", unexpected),
      deleteRecording: this.#unary("delete", async (request, call) => this.delete(request, call)),
      streamRecording: this.#streaming(this.openings, async (play) => this.stream(play)),
      watchRecording: this.#streaming(this.watches, async (play) => this.watch(play)),
      watchRecordings: this.#streaming<WatchRecordingsRequest, WatchRecordingsResponse>([], unexpected),
    };
  }

  #unary<Q, A>(method: string, answer: Answer<Q, A>) {
    return (call: ServerUnaryCall<Q, A>, callback: sendUnaryData<A>): void => {
      this.headers.push(call.metadata);
      this.calls.push([method, call.request]);
      const times = this.calls.filter(([each]) => each === method).length;
      new Promise<A>((resolve) => {
        resolve(answer(call.request, times - 1));
      }).then(
        (message) => {
          callback(null, message);
        },
        (status: unknown) => {
          callback(status as StatusObject);
        },
      );
    };
  }

  #streaming<Q, A>(openings: Q[], script: Script<Q, A>) {
    return (call: ServerWritableStream<Q, A>): void => {
      this.headers.push(call.metadata);
      openings.push(call.request);
      this.open++;
      let isOpen = true;
      const close = (): void => {
        this.open -= isOpen ? 1 : 0;
        isOpen = false;
      };
      call.once("cancelled", close);
      call.once("close", close);
      script(new Play(call, openings.length - 1)).then(
        () => {
          call.end();
          close();
        },
        (status: unknown) => {
          call.emit("error", status);
          close();
        },
      );
    };
  }
}

function unexpected(): never {
  throw new Error("nobody has said how to answer this");
}
