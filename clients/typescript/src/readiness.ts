/** What the states of a recording mean for somebody who waits for its bytes. */
import { status as Code } from "@grpc/grpc-js";
import { ContractBrokenError, RecordingFailedError, RecordingNotFoundError } from "./errors.js";
import { FailureReason, RecordingState, type Recording } from "./generated/recordings/v1/recording.js";
import type { RecordingWatch } from "./recording-watch.js";

/**
 * Waits until the recording that is watched is READY, and gives it.
 *
 * @throws RecordingFailedError it will not come
 * @throws RecordingNotFoundError it is unknown, or was deleted
 * @throws what the watch throws
 */
export async function readyRecording(watch: RecordingWatch): Promise<Recording> {
  for await (const recording of watch) {
    switch (recording.state) {
      case RecordingState.RECORDING_STATE_READY:
        return recording;
      case RecordingState.RECORDING_STATE_FAILED:
        throw failed(recording);
      case RecordingState.RECORDING_STATE_DELETED:
        throw deleted(recording);
      default:
      // It is on its way.
    }
  }
  throw new ContractBrokenError("a watch that ends before the recording does");
}

function failed({ recordingSid, failureReason, failureMessage }: Recording): RecordingFailedError {
  // The number of one that isn't known here: an enum of TypeScript has no name for it.
  const name = (FailureReason[failureReason] as string | undefined) ?? String(failureReason);
  return new RecordingFailedError(failureMessage === "" ? "the recording can't be had" : failureMessage, {
    code: Code.FAILED_PRECONDITION,
    reason: "RECORDING_FAILED",
    metadata: { recordingSid, failureReason: name.replace(/^FAILURE_REASON_/, "") },
  });
}

function deleted({ recordingSid }: Recording): RecordingNotFoundError {
  return new RecordingNotFoundError("the recording was deleted", {
    code: Code.NOT_FOUND,
    reason: "RECORDING_NOT_FOUND",
    metadata: { recordingSid },
  });
}
