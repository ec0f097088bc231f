/** Answers, as the driver compares them. */
import { status as Code } from "@grpc/grpc-js";
import { InvalidOptionError, RecordingsError } from "../index.js";
import { EnqueueReason, RecordingState, type Recording } from "../v1.js";

/** What an operation has found. */
export type Result = Record<string, unknown>;

/** Thrown when a read has failed: what came before it, and why (`cause`). */
export class CutRead extends Error {
  readonly result: Result;

  constructor(result: Result, cause: unknown) {
    super("the read has failed", { cause });
    this.result = result;
  }
}

/** An error in an answer. */
export function errorAnswer(error: unknown): object {
  const own = { code: "", reason: "", metadata: {}, fields: [] };
  if (error instanceof RecordingsError) {
    return {
      kind: kindOf(error),
      code: error.code === undefined ? "" : Code[error.code],
      reason: error.reason,
      metadata: error.metadata,
      fields: error.fieldViolations.map(({ field }) => field),
    };
  }
  if (error instanceof InvalidOptionError) {
    return { kind: "InvalidOption", ...own };
  }
  if (error instanceof RangeError) {
    return { kind: "InvalidArgument", ...own };
  }
  console.error(error);
  return { kind: "Unexpected", ...own, message: String(error) };
}

/** The name of the table in clients/README.md: this client's, without its suffix where it is one. */
function kindOf({ name }: RecordingsError): string {
  return name === "RecordingsError" || name === "InternalError" ? name : name.replace(/Error$/, "");
}

/** A reason without its prefix. */
export function reasonOf(reason: EnqueueReason): string {
  return EnqueueReason[reason].replace("ENQUEUE_REASON_", "");
}

/** A state without its prefix. */
export function stateOf({ state }: Recording): string {
  return RecordingState[state].replace("RECORDING_STATE_", "");
}

/** What some operations say of a recording. */
export function stateAndSize(recording: Recording): Result {
  return { state: stateOf(recording), size_bytes: recording.sizeBytes };
}
