/** What an answer with the status OK still may mean: no success, or nothing that the contract knows. */
import { ContractBrokenError, EnqueueFailedError } from "./errors.js";
import {
  EnqueueReason,
  type BatchEnqueueRecordingsResult,
  type EnqueueRecordingResponse,
} from "./generated/recordings/v1/enqueue.js";
import type { Recording } from "./generated/recordings/v1/recording.js";

/** Everything else is a failure, above all what isn't known here. */
const ACCEPTED: ReadonlySet<EnqueueReason> = new Set([
  EnqueueReason.ENQUEUE_REASON_ENQUEUED,
  EnqueueReason.ENQUEUE_REASON_CACHED,
  EnqueueReason.ENQUEUE_REASON_DUPLICATE,
]);

/** The answer, if it says ENQUEUED, CACHED or DUPLICATE. Throws EnqueueFailedError for anything else. */
export function accepted(answer: EnqueueRecordingResponse): EnqueueRecordingResponse {
  if (!ACCEPTED.has(answer.reason)) {
    throw failed(answer);
  }
  return answer;
}

/**
 * The results of a batch. ERROR is one.
 *
 * @throws EnqueueFailedError a result says UNSPECIFIED, or a number that isn't known here
 * @throws ContractBrokenError there isn't one result a request
 */
export function resultsOf(results: BatchEnqueueRecordingsResult[], asked: number): BatchEnqueueRecordingsResult[] {
  if (results.length !== asked) {
    throw new ContractBrokenError("a batch whose results are not as many as its requests");
  }
  for (const result of results) {
    if (!ACCEPTED.has(result.reason) && result.reason !== EnqueueReason.ENQUEUE_REASON_ERROR) {
      throw failed(result);
    }
  }
  return results;
}

/** The recording of an answer. Throws ContractBrokenError if there is none. */
export function present(recording: Recording | undefined): Recording {
  if (recording === undefined) {
    throw new ContractBrokenError("an answer without a recording");
  }
  return recording;
}

function failed({ reason, recording }: Pick<EnqueueRecordingResponse, "reason" | "recording">): EnqueueFailedError {
  const message = `the service has answered with the reason ${String(reason)}, which is no success`;
  return new EnqueueFailedError(message, {}, reason, recording);
}
