/**
 * What may go wrong, by the service's stable reasons (clients/README.md has the table).
 *
 * RecordingsError                 the base; itself for a code and reason that is none of these
 * ├── InvalidRequestError         the request itself is wrong: `fieldViolations` says where
 * ├── UnauthenticatedError        no credentials, or none that the service knows
 * ├── PermissionDeniedError       this caller may not do this, or not with this account
 * ├── RecordingNotFoundError      unknown, deleted, or another account's
 * ├── RecordingDeletedError       an enqueue met a recording that was deleted
 * ├── RecordingNotReadyError      its bytes are not here yet
 * ├── RecordingFailedError        its bytes will not come
 * ├── StepNotDoneError            what is made of it (a waveform, a transcript) is not there yet
 * ├── StepWithoutResultError      what is made of it will not come
 * ├── RecordingTruncatedError     its bytes were here and are not whole any more
 * ├── OffsetPastEndError          the range begins after the last byte
 * ├── EtagMismatchError           another version of the bytes is current
 * ├── EnqueueFailedError          it isn't certain that the recording is queued: ask again
 * ├── CapacityExhaustedError      too much at once, of everybody or of this caller
 * ├── UnavailableError            the service, or what it stands on, is away
 * ├── DeadlineExceededError       no answer in time
 * ├── InternalError               a bug of the service; its log has the `errorId`
 * ├── ChecksumMismatchError       what was read is not what its SHA-256 says
 * ├── ContractBrokenError         the service sent what its contract rules out
 * └── ClientClosedError           the client, or the reader, was used after it was closed
 * InvalidOptionError              a client can't be made like this (a TypeError)
 */
import type { status } from "@grpc/grpc-js";
import { EnqueueReason } from "./generated/recordings/v1/enqueue.js";
import type { Recording } from "./generated/recordings/v1/recording.js";

/** One field of a request that is wrong, and how to mend it. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** What is known of an error beside its text. */
export interface ErrorDetails {
  readonly code?: status | undefined;
  readonly reason?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly fieldViolations?: readonly FieldViolation[] | undefined;
  readonly retryDelaySeconds?: number | undefined;
  readonly cause?: unknown;
}

/** Thrown when a client can't be made with these options; the message names the option and how to mend it. */
export class InvalidOptionError extends TypeError {
  static {
    this.prototype.name = "InvalidOptionError";
  }
}

/** The base of everything a client throws about a call. An aborted signal's reason is thrown as it is. */
export class RecordingsError extends Error {
  static {
    this.prototype.name = "RecordingsError";
  }

  /** gRPC's status code; undefined for what the client itself found out. */
  readonly code: status | undefined;
  /** The stable reason of the service's ErrorInfo; empty where the service didn't say one. */
  readonly reason: string;
  /** The ErrorInfo's further fields. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Which fields of the request are wrong. */
  readonly fieldViolations: readonly FieldViolation[];
  /** How long to wait before asking again, in seconds, if the service said so. */
  readonly retryDelaySeconds: number | undefined;

  /** The message is for people, and not stable. */
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.reason = details.reason ?? "";
    this.metadata = details.metadata ?? {};
    this.fieldViolations = details.fieldViolations ?? [];
    this.retryDelaySeconds = details.retryDelaySeconds;
  }
}

/** Thrown when the request is wrong whatever the state of the service; nothing was stored. */
export class InvalidRequestError extends RecordingsError {
  static {
    this.prototype.name = "InvalidRequestError";
  }
}

/** Thrown when credentials are missing or not valid. */
export class UnauthenticatedError extends RecordingsError {
  static {
    this.prototype.name = "UnauthenticatedError";
  }
}

/** Thrown when this caller lacks a scope, or may not touch the account. */
export class PermissionDeniedError extends RecordingsError {
  static {
    this.prototype.name = "PermissionDeniedError";
  }
}

/** Thrown when the recording is unknown, deleted, or another account's. */
export class RecordingNotFoundError extends RecordingsError {
  static {
    this.prototype.name = "RecordingNotFoundError";
  }
}

/** Thrown when a deleted recording is enqueued: it stays deleted. */
export class RecordingDeletedError extends RecordingsError {
  static {
    this.prototype.name = "RecordingDeletedError";
  }
}

/** Thrown when the bytes are asked for before they are here: wait for them with `waitUntilReady`. */
export class RecordingNotReadyError extends RecordingsError {
  static {
    this.prototype.name = "RecordingNotReadyError";
  }

  /** The state it is in instead, without its prefix: `QUEUED`, `DOWNLOADING`. */
  get state(): string {
    return this.metadata["state"] ?? "";
  }
}

/** Thrown when the bytes will not come. Enqueueing the recording again starts anew. */
export class RecordingFailedError extends RecordingsError {
  static {
    this.prototype.name = "RecordingFailedError";
  }

  /** Why, without its prefix: `SOURCE_ABSENT`, …; the number of one that this client doesn't know. */
  get failureReason(): string {
    return this.metadata["failureReason"] ?? "";
  }
}

/** Thrown when a waveform or a transcript is asked for before it is made: watch the recording until PROCESSED. */
export class StepNotDoneError extends RecordingsError {
  static {
    this.prototype.name = "StepNotDoneError";
  }

  /** What is to be done yet, without its prefix: `WAVEFORM`, `TRANSCRIPT`. */
  get step(): string {
    return this.metadata["step"] ?? "";
  }

  /** The state it is in instead, without its prefix: `PENDING`, `RUNNING`. */
  get state(): string {
    return this.metadata["state"] ?? "";
  }
}

/** Thrown when there is no waveform, or no transcript, and none is on its way. */
export class StepWithoutResultError extends RecordingsError {
  static {
    this.prototype.name = "StepWithoutResultError";
  }

  /** What has no result, without its prefix: `WAVEFORM`, `TRANSCRIPT`. */
  get step(): string {
    return this.metadata["step"] ?? "";
  }

  /** `FAILED` or `SKIPPED`; empty where nobody has asked for it: enqueue the recording as FULL. */
  get state(): string {
    return this.metadata["state"] ?? "";
  }

  /** Why, without its prefix: `MEDIA_TRUNCATED`, …; empty if there is no reason. */
  get processingReason(): string {
    return this.metadata["processingReason"] ?? "";
  }
}

/** Thrown when the stored bytes are not whole any more. */
export class RecordingTruncatedError extends RecordingsError {
  static {
    this.prototype.name = "RecordingTruncatedError";
  }
}

/** Thrown when a range begins after the last byte. */
export class OffsetPastEndError extends RecordingsError {
  static {
    this.prototype.name = "OffsetPastEndError";
  }

  /** How many bytes there are; undefined if the service didn't say. */
  get sizeBytes(): number | undefined {
    const said = this.metadata["sizeBytes"];
    return said !== undefined && /^\d+$/.test(said) ? Number(said) : undefined;
  }
}

/** Thrown when the bytes are of another version than the one that is read: two are never spliced. Open it anew. */
export class EtagMismatchError extends RecordingsError {
  static {
    this.prototype.name = "EtagMismatchError";
  }

  /** The version that is current; empty if the service didn't say. */
  get etag(): string {
    return this.metadata["etag"] ?? "";
  }
}

/** Thrown when it isn't certain that a recording is queued. Asking again is safe. */
export class EnqueueFailedError extends RecordingsError {
  static {
    this.prototype.name = "EnqueueFailedError";
  }

  /** What the service answered: ERROR, UNSPECIFIED, or a number that this client doesn't know. */
  readonly enqueueReason: EnqueueReason;
  /** The recording, if it was committed all the same. */
  readonly recording: Recording | undefined;

  constructor(
    message: string,
    details: ErrorDetails = {},
    enqueueReason: EnqueueReason = EnqueueReason.ENQUEUE_REASON_ERROR,
    recording?: Recording,
  ) {
    super(message, details);
    this.enqueueReason = enqueueReason;
    this.recording = recording;
  }
}

/** Thrown when there is too much at once, of everybody or of this caller. */
export class CapacityExhaustedError extends RecordingsError {
  static {
    this.prototype.name = "CapacityExhaustedError";
  }
}

/** Thrown when the service, or what it stands on, is away: whatever may be repeated was, in vain. */
export class UnavailableError extends RecordingsError {
  static {
    this.prototype.name = "UnavailableError";
  }
}

/** Thrown when there is no answer in time. */
export class DeadlineExceededError extends RecordingsError {
  static {
    this.prototype.name = "DeadlineExceededError";
  }
}

/** Thrown when the service has a bug; `metadata.errorId` finds it in its log. */
export class InternalError extends RecordingsError {
  static {
    this.prototype.name = "InternalError";
  }
}

/** Thrown instead of handing out the last bytes of a whole read that isn't what the recording's SHA-256 says. */
export class ChecksumMismatchError extends RecordingsError {
  static {
    this.prototype.name = "ChecksumMismatchError";
  }
}

/** Thrown when the service sends what its contract rules out. */
export class ContractBrokenError extends RecordingsError {
  static {
    this.prototype.name = "ContractBrokenError";
  }
}

/** Thrown when a client or a reader is used after it was closed, and by whatever was under way then. */
export class ClientClosedError extends RecordingsError {
  static {
    this.prototype.name = "ClientClosedError";
  }
}
