import assert from "node:assert/strict";
import { test } from "node:test";
import { status as Code } from "@grpc/grpc-js";
import {
  CapacityExhaustedError,
  ContractBrokenError,
  DeadlineExceededError,
  RecordingFailedError,
  RecordingNotFoundError,
  RecordingState,
  RecordingsError,
  UnavailableError,
} from "../index.js";
import { Recording, type WatchRecordingRequest, type WatchRecordingResponse } from "../v1.js";
import { eventually, rejection } from "./eventually.js";
import type { Play } from "./fake-service.js";
import { withService } from "./harness.js";
import { refusal } from "./refusals.js";
import { SID } from "./shelf.js";

type WatchPlay = Play<WatchRecordingRequest, WatchRecordingResponse>;
const { RECORDING_STATE_QUEUED: QUEUED, RECORDING_STATE_READY: READY } = RecordingState;

async function look(play: WatchPlay, revision: number, state: RecordingState, fields = {}): Promise<void> {
  await play.send({ recording: Recording.fromPartial({ recordingSid: SID, revision, state, ...fields }) });
}

async function revisions(looks: AsyncIterable<Recording>): Promise<number[]> {
  const found: number[] = [];
  for await (const { revision } of looks) {
    found.push(revision);
  }
  return found;
}

test("it gives each revision once, and ends when the service says so", withService(async (service, client) => {
  service.watch = async (play) => {
    await look(play, 1, QUEUED);
    await look(play, 1, QUEUED);
    await look(play, 2, READY);
  };
  assert.deepEqual(await revisions(client.watch(SID)), [1, 2]);
  assert.equal(service.watches.length, 1);
  assert.equal(service.calls.length, 0);
}));

for (const code of [Code.CANCELLED, Code.INTERNAL]) {
  test(`it opens the stream again after ${Code[code]}, but not if that is its answer`, withService(async (service, client) => {
    service.watch = async (play) => {
      await look(play, play.opening + 1, play.opening === 0 ? QUEUED : READY);
      if (play.opening === 0) {
        throw refusal(code);
      }
    };
    assert.deepEqual(await revisions(client.watch(SID)), [1, 2]);
    service.watch = () => {
      throw refusal(code);
    };
    const error = await rejection(revisions(client.watch(SID)));
    assert.ok(error instanceof RecordingsError);
    assert.equal(error.code, code);
    assert.equal(service.watches.length, 3);
  }));
}

for (const code of [Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED]) {
  test(`it opens the stream again after ${Code[code]}`, withService(async (service, client) => {
    service.watch = async (play) => {
      if (play.opening === 0) {
        throw refusal(code);
      }
      await look(play, 1, QUEUED);
      if (play.opening === 1) {
        throw refusal(code);
      }
      await look(play, 2, READY);
    };
    const found = await revisions(client.watch(SID));
    assert.deepEqual(found, [1, 2]);
    assert.equal(service.watches.length, 3);
  }));
}

test("it opens the stream again after the time that the service asks for", withService(async (service, client) => {
  service.watch = async (play) => {
    if (play.opening === 0) {
      throw refusal(Code.RESOURCE_EXHAUSTED, { reason: "CAPACITY_EXHAUSTED", retryDelaySeconds: 0.15 });
    }
    await look(play, 1, READY);
  };
  const began = performance.now();
  assert.deepEqual(await revisions(client.watch(SID)), [1]);
  assert.ok(performance.now() - began >= 150);
}));

test("RESOURCE_EXHAUSTED without a time is final", withService(async (service, client) => {
  service.watch = async () =>
    Promise.reject(refusal(Code.RESOURCE_EXHAUSTED, { reason: "CALLER_LIMIT_EXCEEDED" }));
  assert.ok((await rejection(client.watch(SID).next())) instanceof CapacityExhaustedError);
}));

test("without a time it gives up after so many attempts without a message", withService(async (service, client) => {
  service.watch = async () => Promise.reject(refusal(Code.UNAVAILABLE));
  const watch = client.watch(SID);
  assert.ok((await rejection(watch.next())) instanceof UnavailableError);
  assert.equal(service.watches.length, 4);
  assert.deepEqual(await watch.next(), { done: true, value: undefined });
}, { resumeAttempts: 3 }));

test("with a time it goes on until then", withService(async (service, client) => {
  service.watch = async () => Promise.reject(refusal(Code.UNAVAILABLE));
  const error = await rejection(client.watch(SID, { timeoutSeconds: 0.3 }).next());
  assert.ok(error instanceof DeadlineExceededError);
  assert.ok(service.watches.length > 4);
}, { resumeAttempts: 3 }));

test("the time is over when the service says nothing as well", withService(async (service, client) => {
  service.watch = async (play) => play.left;
  const began = performance.now();
  assert.ok((await rejection(client.watch(SID, { timeoutSeconds: 0.2 }).next())) instanceof DeadlineExceededError);
  assert.ok(performance.now() - began < 3000);
  assert.throws(() => client.watch(SID, { timeoutSeconds: -1 }), RangeError);
}));

test("it survives a restart of the service", withService(async (service, client) => {
  service.watch = async (play) => {
    await look(play, play.opening + 1, play.opening === 0 ? QUEUED : READY);
    if (play.opening === 0) {
      await play.left;
    }
  };
  const watch = client.watch(SID, { timeoutSeconds: 20 });
  assert.equal((await watch.next()).value?.revision, 1);
  const next = watch.next();
  service.stop();
  await service.start();
  assert.equal((await next).value?.revision, 2);
  assert.equal((await watch.next()).done, true);
}));

test("what is refused is not asked for again", withService(async (service, client) => {
  service.watch = async () => Promise.reject(refusal(Code.NOT_FOUND, { reason: "RECORDING_NOT_FOUND" }));
  assert.ok((await rejection(client.watch(SID).next())) instanceof RecordingNotFoundError);
  assert.equal(service.watches.length, 1);
}));

test("an end before the first look, and a look without a recording, break the contract", withService(
  async (service, client) => {
    service.watch = async (play) => (play.opening === 0 ? undefined : play.send({ recording: undefined }));
    assert.ok((await rejection(client.watch(SID).next())) instanceof ContractBrokenError);
    assert.ok((await rejection(client.watch(SID).next())) instanceof ContractBrokenError);
  },
));

test("a `for await` that is left cancels the stream at once", withService(async (service, client) => {
  service.watch = async (play) => {
    await look(play, 1, QUEUED);
    await play.left;
  };
  for await (const { state } of client.watch(SID)) {
    assert.equal(state, QUEUED);
    break;
  }
  await eventually("the stream is closed", () => service.open === 0);
}));

test("closing ends a wait, and then there is no more", withService(async (service, client) => {
  service.watch = async (play) => play.left;
  const watch = client.watch(SID);
  const waiting = watch.next();
  await eventually("it is watched", () => service.open === 1);
  await watch.close();
  await watch.close();
  assert.equal((await waiting).done, true);
  assert.equal((await watch.next()).done, true);
}));

test("waiting gives the READY recording", withService(async (service, client) => {
  service.watch = async (play) => {
    await look(play, 1, QUEUED);
    await look(play, 2, READY, { sizeBytes: 12 });
    await play.left;
  };
  assert.equal((await client.waitUntilReady(SID, { timeoutSeconds: 5 })).sizeBytes, 12);
}));

test("waiting for what fails or is deleted is an error", withService(async (service, client) => {
  service.watch = async (play) => {
    const failed = { failureReason: play.opening === 0 ? 1 : 77, failureMessage: "it is too short" };
    const state = play.opening < 2 ? RecordingState.RECORDING_STATE_FAILED : RecordingState.RECORDING_STATE_DELETED;
    await look(play, 1, state, failed);
  };
  for (const reason of ["SOURCE_ABSENT", "77"]) {
    const error = await rejection(client.waitUntilReady(SID));
    assert.ok(error instanceof RecordingFailedError);
    assert.deepEqual([error.failureReason, error.message], [reason, "it is too short"]);
    assert.equal(error.reason, "RECORDING_FAILED");
  }
  assert.ok((await rejection(client.waitUntilReady(SID))) instanceof RecordingNotFoundError);
}));
