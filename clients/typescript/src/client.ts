/** The client of the recording service. */
import { accepted, present, resultsOf } from "./answers.js";
import { Connection, type CallOptions, type UnaryCallOptions } from "./connection.js";
import { ContractBrokenError } from "./errors.js";
import {
  BatchEnqueueRecordingsRequest,
  EnqueueRecordingRequest,
  type BatchEnqueueRecordingsResult,
  type EnqueueRecordingResponse,
  type UnavailableReason,
} from "./generated/recordings/v1/enqueue.js";
import { ListRecordingsRequest } from "./generated/recordings/v1/lookup.js";
import { PlaybackDisposition, type CreatePlaybackUrlResponse } from "./generated/recordings/v1/playback_url.js";
import type { Recording } from "./generated/recordings/v1/recording.js";
import { RecordingServiceService as service } from "./generated/recordings/v1/recording_service.js";
import { WatchUntil } from "./generated/recordings/v1/watch.js";
import { Lifetime } from "./lifetime.js";
import type { ClientOptions } from "./options.js";
import { readyRecording } from "./readiness.js";
import { RecordingReader } from "./recording-reader.js";
import { RecordingWatch, type WatchTimes } from "./recording-watch.js";

/** Twilio's account may be left out: the recording is then found by its own SID. */
interface Account {
  readonly accountSid?: string | undefined;
}

/** One recording to enqueue: the fields of the contract's request, of which only the SID is required. */
export type EnqueueItem = Pick<EnqueueRecordingRequest, "recordingSid"> & Partial<EnqueueRecordingRequest>;

/** What may be said of a recording that is enqueued. */
export type EnqueueOptions = Partial<Omit<EnqueueRecordingRequest, "recordingSid">> & UnaryCallOptions;

/** Of a call about one recording. */
export type RecordingOptions = Account & UnaryCallOptions;

/** What may be said of a recording that Twilio doesn't have. */
export interface ReportOptions extends RecordingOptions {
  readonly callSid?: string | undefined;
  /** Twilio's ErrorCode. */
  readonly errorCode?: number | undefined;
}

/** Which recordings to list: the filters of the contract's request. Times and signal are those of each page. */
export type ListOptions = Partial<Omit<ListRecordingsRequest, "pageToken">> & UnaryCallOptions;

/** How to watch a recording. */
export interface WatchOptions extends Account, WatchTimes {
  /** How long: until it is READY, or as well PROCESSED. */
  readonly until?: WatchUntil | undefined;
}

/** How to wait for a recording. */
export type WaitOptions = Account & WatchTimes;

/** What to read of a recording. */
export interface OpenOptions extends Account, CallOptions {
  /** First byte. */
  readonly offset?: number | undefined;
  /** How many bytes; more than there are is clipped. Left out: to the end. */
  readonly length?: number | undefined;
  /** Only this version of the bytes. Left out: whichever is current when it is first read. */
  readonly etag?: string | undefined;
  /** Whether a recording that isn't READY is waited for. */
  readonly wait?: boolean | undefined;
  /** For how long; left out: as long as the service can be reached. */
  readonly waitTimeoutSeconds?: number | undefined;
}

/** What a playback URL is to be. */
export interface PlaybackUrlOptions extends RecordingOptions {
  /** How long it works. Left out: three times the recording's duration, and at least an hour. */
  readonly ttlSeconds?: number | undefined;
  /** Whether a browser saves the bytes instead of playing them. */
  readonly attachment?: boolean | undefined;
}

/** What may be said of a deletion. */
export interface DeleteOptions extends RecordingOptions {
  /** Whether it is well if there is nothing to delete. */
  readonly allowMissing?: boolean | undefined;
}

/**
 * A client of the recording service. Make one and keep it: it has the connection.
 *
 * Every call has a deadline, takes a `signal`, and throws RecordingsError, typed by the service's reason, or the
 * signal's reason; calls that may be repeated are, while the service is away.
 */
export class RecordingsClient implements AsyncDisposable {
  readonly #connection: Connection;

  /**
   * Connects when it is used.
   *
   * @param target `127.0.0.1:50051`, `dns:///…`, `unix:/…`
   * @throws InvalidOptionError a client can't be made like this
   */
  constructor(target: string, options: ClientOptions = {}) {
    this.#connection = new Connection(target, options);
  }

  /**
   * Asks for a recording: ENQUEUED, CACHED or DUPLICATE. Idempotent.
   *
   * @throws EnqueueFailedError anything else: it isn't certain that the recording is queued, and asking again is safe
   */
  async enqueue(recordingSid: string, options: EnqueueOptions = {}): Promise<EnqueueRecordingResponse> {
    const { timeoutSeconds, signal, metadata, ...fields } = options;
    const request = EnqueueRecordingRequest.fromPartial({ ...fields, recordingSid });
    const call = { timeoutSeconds, signal, metadata };
    return accepted(await this.#connection.ask(service.enqueueRecording, request, call));
  }

  /**
   * Asks for up to 1000 recordings. Idempotent.
   *
   * @returns one result an item, in their order; one with the reason ERROR says why, and doesn't fail the others
   * @throws EnqueueFailedError a result has a reason that this client doesn't know
   */
  async batchEnqueue(
    items: readonly EnqueueItem[],
    options: UnaryCallOptions = {},
  ): Promise<BatchEnqueueRecordingsResult[]> {
    const request = BatchEnqueueRecordingsRequest.fromPartial({ requests: [...items] });
    const { results } = await this.#connection.ask(service.batchEnqueueRecordings, request, options);
    return resultsOf(results, items.length);
  }

  /** Says that Twilio has no such recording, and gives it as it is then. Idempotent. */
  async reportUnavailable(
    recordingSid: string,
    reason: UnavailableReason,
    options: ReportOptions = {},
  ): Promise<Recording> {
    const { accountSid = "", callSid = "", errorCode = 0 } = options;
    const request = { accountSid, recordingSid, callSid, reason, errorCode };
    const { recording } = await this.#connection.ask(service.reportRecordingUnavailable, request, options);
    return present(recording);
  }

  /** The recording as it is now. Throws RecordingNotFoundError for one that is unknown or deleted. */
  async get(recordingSid: string, options: RecordingOptions = {}): Promise<Recording> {
    const request = { accountSid: options.accountSid ?? "", recordingSid };
    const { recording } = await this.#connection.ask(service.getRecording, request, options);
    return present(recording);
  }

  /** Every recording that matches, newest first. A page is asked for when it is needed. */
  async *list(options: ListOptions = {}): AsyncGenerator<Recording, void, undefined> {
    const { timeoutSeconds, signal, metadata, ...filters } = options;
    const request = ListRecordingsRequest.fromPartial({ ...filters });
    for (;;) {
      const page = await this.#connection.ask(service.listRecordings, request, { timeoutSeconds, signal, metadata });
      yield* page.recordings;
      if (page.nextPageToken === "") {
        return;
      }
      if (page.nextPageToken === request.pageToken) {
        throw new ContractBrokenError("a page that names itself as the next one");
      }
      request.pageToken = page.nextPageToken;
    }
  }

  /** The recording as it is, then after each change, until the service says that there is no more to come. */
  watch(recordingSid: string, options: WatchOptions = {}): RecordingWatch {
    const { accountSid = "", until = WatchUntil.WATCH_UNTIL_UNSPECIFIED, ...times } = options;
    return new RecordingWatch(this.#connection, { accountSid, recordingSid, until }, times, this.#connection.lifetime);
  }

  /**
   * Waits for the READY recording, without polling.
   *
   * @throws RecordingFailedError it will not come
   * @throws RecordingNotFoundError it is unknown, or was deleted
   * @throws DeadlineExceededError it isn't READY in time
   */
  async waitUntilReady(recordingSid: string, options: WaitOptions = {}): Promise<Recording> {
    return readyRecording(this.watch(recordingSid, options));
  }

  /**
   * A recording, or a part of it, to be read. Asks nothing of the service until it is read.
   *
   * @throws RangeError `offset` or `length` is negative or no integer
   */
  open(recordingSid: string, options: OpenOptions = {}): RecordingReader {
    const { accountSid = "", offset = 0, length, etag = "", wait = false, waitTimeoutSeconds } = options;
    checkCount("offset", offset);
    checkCount("length", length ?? 0);
    const end = length === undefined ? undefined : offset + length;
    const wanted = {
      range: { accountSid, recordingSid, offset, end, etag },
      metadata: options.metadata,
      wait: wait ? { timeoutSeconds: waitTimeoutSeconds } : undefined,
    };
    return new RecordingReader(this.#connection, wanted, new Lifetime(this.#connection.lifetime, options.signal));
  }

  /** A URL by which whoever has it may play the recording over HTTP until it expires: it belongs in no log. */
  async createPlaybackUrl(recordingSid: string, options: PlaybackUrlOptions = {}): Promise<CreatePlaybackUrlResponse> {
    const { accountSid = "", ttlSeconds, attachment = false } = options;
    const request = {
      accountSid,
      recordingSid,
      ttl: ttlSeconds === undefined ? undefined : { seconds: Math.trunc(ttlSeconds), nanos: nanosOf(ttlSeconds) },
      disposition: attachment
        ? PlaybackDisposition.PLAYBACK_DISPOSITION_ATTACHMENT
        : PlaybackDisposition.PLAYBACK_DISPOSITION_UNSPECIFIED,
    };
    return this.#connection.ask(service.createPlaybackUrl, request, options);
  }

  /**
   * Deletes a recording's bytes and all pending work, for good. Idempotent with `allowMissing`, and not tried again by
   * gRPC: the answer to the first try could be lost, and the second would say that there is nothing.
   *
   * @returns the tombstone; undefined if the recording was never known
   * @throws RecordingNotFoundError there is nothing to delete, and nothing allows that
   */
  async delete(recordingSid: string, options: DeleteOptions = {}): Promise<Recording | undefined> {
    const { accountSid = "", allowMissing = false } = options;
    const request = { accountSid, recordingSid, allowMissing };
    return (await this.#connection.ask(service.deleteRecording, request, options)).recording;
  }

  /** Ends what is under way and closes what was opened, at once. Idempotent. Calls then throw ClientClosedError. */
  // eslint-disable-next-line @typescript-eslint/require-await -- as everything that is closed here
  async close(): Promise<void> {
    this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function checkCount(name: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value >= 0)) {
    throw new RangeError(`${name}: must be an integer, and not below 0`);
  }
}

function nanosOf(seconds: number): number {
  return Math.trunc((seconds - Math.trunc(seconds)) * 1e9);
}
