/** From gRPC's statuses to this client's errors: the one table, by the reason in ErrorInfo, else by the code. */
import { status as Code, type StatusObject } from "@grpc/grpc-js";
import * as errors from "./errors.js";
import { statusDetails } from "./status-details.js";

/** The domain of the service's ErrorInfo. */
const DOMAIN = "recording-service";

type Kind = new (message: string, details: errors.ErrorDetails) => errors.RecordingsError;

/** What each stable reason of the service is. */
export const BY_REASON: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["INVALID_REQUEST", errors.InvalidRequestError],
  ["UNAUTHENTICATED", errors.UnauthenticatedError],
  ["SCOPE_MISSING", errors.PermissionDeniedError],
  ["ACCOUNT_NOT_ALLOWED", errors.PermissionDeniedError],
  ["RECORDING_NOT_FOUND", errors.RecordingNotFoundError],
  ["RECORDING_DELETED", errors.RecordingDeletedError],
  ["RECORDING_NOT_READY", errors.RecordingNotReadyError],
  ["RECORDING_FAILED", errors.RecordingFailedError],
  ["STEP_NOT_DONE", errors.StepNotDoneError],
  ["STEP_WITHOUT_RESULT", errors.StepWithoutResultError],
  ["RECORDING_TRUNCATED", errors.RecordingTruncatedError],
  ["OFFSET_PAST_END", errors.OffsetPastEndError],
  ["ETAG_MISMATCH", errors.EtagMismatchError],
  ["ENQUEUE_FAILED", errors.EnqueueFailedError],
  ["STORAGE_FULL", errors.EnqueueFailedError],
  ["CAPACITY_EXHAUSTED", errors.CapacityExhaustedError],
  ["CALLER_LIMIT_EXCEEDED", errors.CapacityExhaustedError],
  ["WATCH_OVERRUN", errors.CapacityExhaustedError],
  ["SERVER_DRAINING", errors.UnavailableError],
  ["DEPENDENCY_UNAVAILABLE", errors.UnavailableError],
  ["DEADLINE_EXCEEDED", errors.DeadlineExceededError],
  ["INTERNAL", errors.InternalError],
]);

/**
 * For a status without a reason that this client knows: of a proxy in between, of gRPC itself, or of a later service.
 * ABORTED, NOT_FOUND and their like mean nothing certain without a reason.
 */
const BY_CODE: ReadonlyMap<Code, Kind> = new Map<Code, Kind>([
  [Code.INVALID_ARGUMENT, errors.InvalidRequestError],
  [Code.UNAUTHENTICATED, errors.UnauthenticatedError],
  [Code.PERMISSION_DENIED, errors.PermissionDeniedError],
  [Code.RESOURCE_EXHAUSTED, errors.CapacityExhaustedError],
  [Code.UNAVAILABLE, errors.UnavailableError],
  [Code.DEADLINE_EXCEEDED, errors.DeadlineExceededError],
  [Code.INTERNAL, errors.InternalError],
]);

/** Of an enqueue, what asking again can't mend. All else leaves it uncertain whether the recording is queued. */
const CALLERS_OWN: ReadonlySet<Kind> = new Set<Kind>([
  errors.InvalidRequestError,
  errors.RecordingDeletedError,
  errors.UnauthenticatedError,
  errors.PermissionDeniedError,
]);

/** The error that a call is which ended with this status. Its cause is gRPC's own. */
export function errorOf(status: StatusObject): errors.RecordingsError {
  const { errorInfo, fieldViolations, retryDelaySeconds, enqueued } = statusDetails(status.metadata);
  const info = errorInfo?.domain === DOMAIN ? errorInfo : undefined;
  const message = status.details === "" ? `the call failed with ${Code[status.code]}` : status.details;
  const details: errors.ErrorDetails = {
    code: status.code,
    reason: info?.reason,
    metadata: info?.metadata,
    fieldViolations,
    retryDelaySeconds,
    cause: status instanceof Error ? status : Object.assign(new Error(`${Code[status.code]}: ${message}`), status),
  };
  const kind = BY_REASON.get(details.reason ?? "") ?? BY_CODE.get(status.code) ?? errors.RecordingsError;
  if (enqueued !== undefined && !CALLERS_OWN.has(kind)) {
    return new errors.EnqueueFailedError(message, details, enqueued.reason, enqueued.recording);
  }
  return new kind(message, details);
}

/** The error of a stream or a service that is away, as the client itself finds out. */
export function unavailable(how: string, cause?: unknown): errors.UnavailableError {
  return new errors.UnavailableError(how, { code: Code.UNAVAILABLE, cause });
}
