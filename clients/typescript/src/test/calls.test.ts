import assert from "node:assert/strict";
import { test } from "node:test";
import { status as Code } from "@grpc/grpc-js";
import {
  ContractBrokenError,
  DeadlineExceededError,
  EnqueueFailedError,
  EnqueueReason,
  InvalidRequestError,
  RecordingJob,
  RecordingsClient,
  RecordingsError,
  RecordingState,
  StepNotDoneError,
  StepWithoutResultError,
  UnavailableError,
  type UnavailableReason,
} from "../index.js";
import {
  BatchEnqueueRecordingsResponse,
  EnqueueRecordingResponse,
  GetRecordingResponse,
  ListRecordingsResponse,
  Recording,
} from "../v1.js";
import { BY_REASON } from "../translation.js";
import { rejection } from "./eventually.js";
import { noAnswer } from "./fake-service.js";
import { IMPATIENT, withService } from "./harness.js";
import { refusal } from "./refusals.js";
import { SID } from "./shelf.js";

const queued = Recording.fromPartial({ recordingSid: SID, state: RecordingState.RECORDING_STATE_QUEUED });

for (const reason of [
  EnqueueReason.ENQUEUE_REASON_ENQUEUED,
  EnqueueReason.ENQUEUE_REASON_CACHED,
  EnqueueReason.ENQUEUE_REASON_DUPLICATE,
]) {
  test(`an enqueue may be answered with ${EnqueueReason[reason]}`, withService(async (service, client) => {
    service.enqueue = () => EnqueueRecordingResponse.fromPartial({ reason, recording: queued });
    const answer = await client.enqueue(SID);
    assert.equal(answer.reason, reason);
    assert.equal(answer.recording?.recordingSid, SID);
  }));
}

for (const reason of [0, 4, 17]) {
  test(`an enqueue answered with the number ${String(reason)} has failed although the call was OK`, withService(
    async (service, client) => {
      service.enqueue = () => EnqueueRecordingResponse.fromPartial({ reason, recording: queued });
      const error = await rejection(client.enqueue(SID));
      assert.ok(error instanceof EnqueueFailedError);
      assert.equal(error.enqueueReason, reason);
      assert.equal(error.recording?.recordingSid, SID);
    },
  ));
}

test("an ERROR in the details is a failed enqueue whatever the reason is", withService(async (service, client) => {
  service.enqueue = () => {
    const enqueued = EnqueueRecordingResponse.fromPartial({ reason: 4, recording: queued });
    throw refusal(Code.INTERNAL, { reason: "INTERNAL", metadata: { errorId: "e1" }, enqueued });
  };
  const error = await rejection(client.enqueue(SID));
  assert.ok(error instanceof EnqueueFailedError);
  assert.deepEqual([error.code, error.reason, error.metadata], [Code.INTERNAL, "INTERNAL", { errorId: "e1" }]);
  assert.equal(error.recording?.state, RecordingState.RECORDING_STATE_QUEUED);
}));

test("an enqueue says all that is known of the recording", withService(async (service, client) => {
  const startTime = new Date("2026-01-02T03:04:05Z");
  const job = RecordingJob.RECORDING_JOB_DOWNLOAD_ONLY;
  const fields = { callSid: "CA1", labels: { team: "sales" }, job, startTime };
  await client.enqueue(SID, { ...fields, metadata: { "x-request-id": "r1" } });
  const [method, request] = service.calls[0] ?? [];
  assert.equal(method, "enqueue");
  assert.deepEqual({ ...(request as object), ...fields, recordingSid: SID }, request);
  assert.deepEqual(service.headers[0]?.get("x-request-id"), ["r1"]);
}));

test("in a batch an ERROR is a result", withService(async (service, client) => {
  const error = { reason: "INVALID_REQUEST", field: "recording_sid", message: "is none" };
  service.batch = ({ requests }) =>
    BatchEnqueueRecordingsResponse.fromPartial({
      results: requests.map((_, index) => (index === 0 ? { reason: 1 } : { reason: 4, error })),
    });
  const results = await client.batchEnqueue([{ recordingSid: SID }, { recordingSid: "no", callSid: "CA1" }]);
  assert.deepEqual(results.map(({ reason }) => reason), [1, 4]);
  assert.deepEqual(results[1]?.error, error);
}));

test("in a batch a number that isn't known is a failed enqueue", withService(async (service, client) => {
  service.batch = () => BatchEnqueueRecordingsResponse.fromPartial({ results: [{ reason: 17 }] });
  assert.ok((await rejection(client.batchEnqueue([{ recordingSid: SID }]))) instanceof EnqueueFailedError);
}));

test("a batch has one result an item", withService(async (service, client) => {
  service.batch = () => BatchEnqueueRecordingsResponse.fromPartial({ results: [] });
  assert.ok((await rejection(client.batchEnqueue([{ recordingSid: SID }]))) instanceof ContractBrokenError);
}));

test("an error has everything that the service says", withService(async (service, client) => {
  service.get = () => {
    throw refusal(Code.INVALID_ARGUMENT, {
      reason: "INVALID_REQUEST",
      metadata: { a: "b" },
      violations: [["recording_sid", "is none"], ["account_sid", "is none either"]],
      retryDelaySeconds: 1.5,
    });
  };
  const error = await rejection(client.get("no"));
  assert.ok(error instanceof InvalidRequestError);
  assert.deepEqual([error.code, error.reason, error.metadata], [Code.INVALID_ARGUMENT, "INVALID_REQUEST", { a: "b" }]);
  assert.deepEqual(error.fieldViolations, [
    { field: "recording_sid", description: "is none" },
    { field: "account_sid", description: "is none either" },
  ]);
  assert.equal(error.retryDelaySeconds, 1.5);
  assert.equal(error.message, "as the service says it");
  assert.ok(error.cause instanceof Error);
}));

for (const [reason, kind] of BY_REASON) {
  test(`${reason} is ${kind.name}`, withService(async (service, client) => {
    service.get = () => {
      throw refusal(Code.FAILED_PRECONDITION, { reason });
    };
    const error = await rejection(client.get(SID));
    assert.ok(error instanceof kind);
    assert.equal(error.reason, reason);
  }));
}

test("what a step has not made says which, how far it is, and why", withService(async (service, client) => {
  service.get = (_, call) => {
    throw call === 0
      ? refusal(Code.FAILED_PRECONDITION, { reason: "STEP_NOT_DONE", metadata: { step: "WAVEFORM", state: "RUNNING" } })
      : refusal(Code.FAILED_PRECONDITION, {
        reason: "STEP_WITHOUT_RESULT",
        metadata: { step: "TRANSCRIPT", state: "SKIPPED", processingReason: "NOT_CONFIGURED" },
      });
  };
  const notDone = await rejection(client.get(SID));
  assert.ok(notDone instanceof StepNotDoneError);
  assert.deepEqual([notDone.step, notDone.state], ["WAVEFORM", "RUNNING"]);
  const without = await rejection(client.get(SID));
  assert.ok(without instanceof StepWithoutResultError);
  assert.deepEqual([without.step, without.state, without.processingReason], ["TRANSCRIPT", "SKIPPED", "NOT_CONFIGURED"]);
}));

test("a reason of another domain, or that isn't known, is none", withService(async (service, client) => {
  service.get = (_, call) => {
    throw refusal(Code.NOT_FOUND, call === 0 ? { reason: "RECORDING_NOT_FOUND", domain: "else" } : { reason: "NEW" });
  };
  for (const reason of ["", "NEW"]) {
    const error = await rejection(client.get(SID));
    assert.equal((error as Error).name, "RecordingsError");
    assert.deepEqual([(error as RecordingsError).code, (error as RecordingsError).reason], [Code.NOT_FOUND, reason]);
  }
}));

test("an answer without a recording breaks the contract", withService(async (service, client) => {
  service.get = () => GetRecordingResponse.fromPartial({});
  assert.ok((await rejection(client.get(SID))) instanceof ContractBrokenError);
}));

test("a call ends at its deadline, or at the one that is given with it", withService(async (service, client) => {
  service.get = noAnswer;
  for (const options of [{}, { timeoutSeconds: 0.1 }]) {
    const began = performance.now();
    assert.ok((await rejection(client.get(SID, options))) instanceof DeadlineExceededError);
    assert.ok(performance.now() - began < 3000);
  }
  await assert.rejects(client.get(SID, { timeoutSeconds: 0 }), RangeError);
}, { timeoutSeconds: 0.2 }));

test("a service that isn't there is unavailable", withService(async (service) => {
  service.stop();
  await using client = new RecordingsClient(service.target, { ...IMPATIENT, timeoutSeconds: 20 });
  assert.ok((await rejection(client.get(SID))) instanceof UnavailableError);
}));

test("a service that comes back is found soon", withService(async (service, client) => {
  service.get = () => GetRecordingResponse.fromPartial({ recording: queued });
  await client.get(SID);
  service.stop();
  await rejection(client.get(SID));
  await service.start();
  const began = performance.now();
  // Not by the first call in any case: gRPC repeats fewer calls after many have failed.
  let found: Recording | undefined;
  while (found === undefined && performance.now() - began < 3000) {
    found = await client.get(SID).catch(() => undefined);
  }
  assert.equal(found?.recordingSid, SID);
}));

test("what may be repeated is tried again by gRPC, a deletion is not", withService(async (service, client) => {
  service.get = (_, call) => {
    if (call < 2) {
      throw refusal(Code.UNAVAILABLE);
    }
    return GetRecordingResponse.fromPartial({ recording: queued });
  };
  service.delete = () => {
    throw refusal(Code.UNAVAILABLE);
  };
  assert.equal((await client.get(SID)).recordingSid, SID);
  await assert.rejects(client.delete(SID), UnavailableError);
  assert.deepEqual(service.calls.map(([method]) => method), ["get", "get", "get", "delete"]);
}));

test("a deletion gives the tombstone, or nothing", withService(async (service, client) => {
  service.delete = (_, call) => ({ recording: call === 0 ? queued : undefined });
  assert.equal((await client.delete(SID))?.recordingSid, SID);
  assert.equal(await client.delete(SID, { allowMissing: true }), undefined);
  assert.deepEqual(service.calls[1]?.[1], { accountSid: "", recordingSid: SID, allowMissing: true });
}));

test("a list is every page, and asks for one when it is needed", withService(async (service, client) => {
  service.list = ({ pageToken }) =>
    ListRecordingsResponse.fromPartial(
      pageToken === ""
        ? { recordings: [{ recordingSid: "RE1" }, { recordingSid: "RE2" }], nextPageToken: "next" }
        : { recordings: [{ recordingSid: "RE3" }] },
    );
  const sids: string[] = [];
  for await (const { recordingSid } of client.list({ callSids: ["CA1"], pageSize: 2 })) {
    sids.push(recordingSid);
    assert.equal(service.calls.length, sids.length < 3 ? 1 : 2);
  }
  assert.deepEqual(sids, ["RE1", "RE2", "RE3"]);
  assert.deepEqual((service.calls[1]?.[1] as { callSids: string[] }).callSids, ["CA1"]);
}));

test("a page that names itself as the next one breaks the contract", withService(async (service, client) => {
  service.list = () => ListRecordingsResponse.fromPartial({ nextPageToken: "again" });
  assert.ok((await rejection(client.list().next())) instanceof ContractBrokenError);
}));

test("a playback URL may last so long and be saved as a file", withService(async (service, client) => {
  await client.createPlaybackUrl(SID, { ttlSeconds: 90, attachment: true });
  await client.createPlaybackUrl(SID);
  const [long, usual] = service.calls.map(([, request]) => request as { ttl: unknown; disposition: number });
  assert.deepEqual([long?.ttl, long?.disposition], [{ seconds: 90, nanos: 0 }, 2]);
  assert.deepEqual([usual?.ttl, usual?.disposition], [undefined, 0]);
}));

test("an argument of another type is the language's own error", withService(async (_, client) => {
  const call = client.reportUnavailable(SID, "ABSENT" as unknown as UnavailableReason);
  await assert.rejects(call, (error) => !(error instanceof RecordingsError));
}));

test("the token goes with every call, unless the call has its own", withService(async (service, client) => {
  service.watch = async () => Promise.reject(refusal(Code.NOT_FOUND));
  await client.enqueue(SID);
  await rejection(client.watch(SID).next());
  await client.enqueue(SID, { metadata: { Authorization: "Bearer another" } });
  assert.deepEqual(service.headers.map((each) => each.get("authorization")), [
    ["Bearer secret"],
    ["Bearer secret"],
    ["Bearer another"],
  ]);
}, { token: "secret" }));
