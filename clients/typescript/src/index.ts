/** A client of the recording service. */
export {
  RecordingsClient,
  type DeleteOptions,
  type EnqueueItem,
  type EnqueueOptions,
  type ListOptions,
  type OpenOptions,
  type PlaybackUrlOptions,
  type RecordingOptions,
  type ReportOptions,
  type WaitOptions,
  type WatchOptions,
} from "./client.js";
export type { CallOptions, UnaryCallOptions } from "./connection.js";
export * from "./errors.js";
export type { ClientOptions } from "./options.js";
export type { RecordingPieces } from "./recording-pieces.js";
export type { RecordingReader } from "./recording-reader.js";
export type { RecordingWatch, WatchTimes } from "./recording-watch.js";
export {
  EnqueueReason,
  UnavailableReason,
  type BatchEnqueueRecordingsResult,
  type EnqueueError,
  type EnqueueRecordingRequest,
  type EnqueueRecordingResponse,
} from "./generated/recordings/v1/enqueue.js";
export type { CreatePlaybackUrlResponse } from "./generated/recordings/v1/playback_url.js";
export {
  FailureReason,
  Priority,
  ProcessingState,
  RecordingJob,
  RecordingState,
  WaitingReason,
  type Recording,
} from "./generated/recordings/v1/recording.js";
export { WatchUntil } from "./generated/recordings/v1/watch.js";
