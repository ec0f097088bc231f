import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import * as client from "../index.js";
import * as v1 from "../v1.js";

test("what the package exports is this, and nothing else", () => {
  assert.deepEqual(Object.keys(client).sort(), [
    "CapacityExhaustedError",
    "ChecksumMismatchError",
    "ClientClosedError",
    "ContractBrokenError",
    "DeadlineExceededError",
    "EnqueueFailedError",
    "EnqueueReason",
    "EtagMismatchError",
    "FailureReason",
    "InternalError",
    "InvalidOptionError",
    "InvalidRequestError",
    "OffsetPastEndError",
    "PermissionDeniedError",
    "Priority",
    "ProcessingState",
    "RecordingDeletedError",
    "RecordingFailedError",
    "RecordingJob",
    "RecordingNotFoundError",
    "RecordingNotReadyError",
    "RecordingState",
    "RecordingTruncatedError",
    "RecordingsClient",
    "RecordingsError",
    "StepNotDoneError",
    "StepWithoutResultError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnavailableReason",
    "WaitingReason",
    "WatchUntil",
  ]);
});

test("the generated code is exported as a whole", () => {
  for (const name of ["RecordingServiceClient", "Recording", "StreamRecordingResponse", "WatchRecordingsRequest"]) {
    assert.ok(name in v1, name);
  }
});

test("each error has its own name, and an error of gRPC's as its cause", () => {
  for (const [name, kind] of Object.entries(client)) {
    if (name.endsWith("Error") && typeof kind === "function") {
      assert.equal((kind.prototype as Error).name, name);
    }
  }
  const error = new client.UnavailableError("away", { cause: new Error("why") });
  assert.equal(String(error), "UnavailableError: away");
  assert.ok(error instanceof client.RecordingsError && error instanceof Error);
});

test("a program that has closed its client comes to its end", async () => {
  const program = `
    import { RecordingsClient } from ${JSON.stringify(new URL("../index.js", import.meta.url).href)};
    const client = new RecordingsClient("127.0.0.1:1", { resumeAttempts: 1 });
    await client.get("RE1").catch((error) => console.log(error.name));
    const watch = client.watch("RE1", { timeoutSeconds: 1000 });
    const waiting = watch.next();
    await client.close();
    await waiting.catch((error) => console.log(error.name));
  `;
  const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], { timeout: 20_000 });
  assert.equal((await run).stdout, "UnavailableError\nClientClosedError\n");
});
