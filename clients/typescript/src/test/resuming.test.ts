import assert from "node:assert/strict";
import { test } from "node:test";
import { status as Code } from "@grpc/grpc-js";
import {
  CapacityExhaustedError,
  ContractBrokenError,
  EtagMismatchError,
  RecordingsError,
  UnavailableError,
} from "../index.js";
import type { StreamRecordingResponse } from "../v1.js";
import { eventually, rejection } from "./eventually.js";
import { all, withService } from "./harness.js";
import { refusal } from "./refusals.js";
import { CHUNK, SID, Shelf, type StreamPlay } from "./shelf.js";

const shelf = new Shelf(5 * CHUNK + 3);
const size = shelf.bytes.length;

/** Breaks the first stream once that many bytes were sent and taken. */
function breaking(at: number, code: Code, details = {}) {
  return async (play: StreamPlay): Promise<void> => {
    if (play.opening > 0) {
      await shelf.send(play);
      return;
    }
    await shelf.send(play, at);
    throw refusal(code, details);
  };
}

test("a whole read brings every byte by one stream", withService(async (service, client) => {
  service.stream = async (play) => shelf.send(play);
  const reader = client.open(SID);
  assert.deepEqual(await all(reader), shelf.bytes);
  assert.equal(service.openings.length, 1);
  assert.deepEqual(service.openings[0], { accountSid: "", recordingSid: SID, offset: 0, length: 0, etag: "" });
  await reader.close();
}));

for (const code of [Code.UNAVAILABLE, Code.CANCELLED, Code.INTERNAL]) {
  test(`it resumes at the next byte of the same version after ${Code[code]}`, withService(async (service, client) => {
    service.stream = breaking(2 * CHUNK, code);
    assert.deepEqual(await all(client.open(SID)), shelf.bytes);
    assert.equal(service.openings.length, 2);
    const again = service.openings[1];
    assert.ok(again !== undefined);
    assert.equal(again.etag, "etag-1");
    assert.equal(again.offset + again.length, shelf.bytes.length);
  }));
}

for (const code of [Code.UNKNOWN, Code.DATA_LOSS, Code.NOT_FOUND, Code.FAILED_PRECONDITION, Code.DEADLINE_EXCEEDED]) {
  test(`it does not resume after ${Code[code]}`, withService(async (service, client) => {
    service.stream = breaking(2 * CHUNK, code);
    const error = await rejection(all(client.open(SID)));
    assert.ok(error instanceof RecordingsError);
    assert.equal(error.code, code);
    assert.equal(service.openings.length, 1);
  }));
}

test("INTERNAL before the first message is final", withService(async (service, client) => {
  service.stream = async () => Promise.reject(refusal(Code.INTERNAL));
  await assert.rejects(all(client.open(SID)), { name: "InternalError" });
  assert.equal(service.openings.length, 1);
}));

test("an OK that is short of the promised end is resumed after", withService(async (service, client) => {
  service.stream = async (play) => shelf.send(play, play.opening === 0 ? 2 * CHUNK : Infinity);
  assert.deepEqual(await all(client.open(SID)), shelf.bytes);
  assert.deepEqual(service.openings.map(({ offset }) => offset), [0, 2 * CHUNK]);
}));

test("RESOURCE_EXHAUSTED is resumed after the time that the service asks for", withService(async (service, client) => {
  service.stream = breaking(CHUNK, Code.RESOURCE_EXHAUSTED, { reason: "CAPACITY_EXHAUSTED", retryDelaySeconds: 0.15 });
  const began = performance.now();
  assert.deepEqual(await all(client.open(SID)), shelf.bytes);
  assert.ok(performance.now() - began >= 150);
}));

test("RESOURCE_EXHAUSTED without a time is final", withService(async (service, client) => {
  service.stream = breaking(CHUNK, Code.RESOURCE_EXHAUSTED, { reason: "CAPACITY_EXHAUSTED" });
  assert.ok((await rejection(all(client.open(SID)))) instanceof CapacityExhaustedError);
}));

test("two versions are never spliced", withService(async (service, client) => {
  service.stream = async (play) => {
    if (play.opening === 0) {
      return breaking(CHUNK, Code.UNAVAILABLE)(play);
    }
    const first = shelf.first(play.request);
    return play.send({ ...first, recording: { ...shelf.recording, etag: "etag-2" } });
  };
  const error = await rejection(all(client.open(SID)));
  assert.ok(error instanceof EtagMismatchError);
  assert.equal(error.etag, "etag-2");
}));

type Change = (message: StreamRecordingResponse) => StreamRecordingResponse;
const brokenFirsts: [string, Change][] = [
  ["says nothing", (first) => ({ ...first, recording: undefined, contentRange: undefined })],
  ["says no range", (first) => ({ ...first, contentRange: undefined })],
  ["says no version", (first) => ({ ...first, recording: { ...shelf.recording, etag: "" } })],
  ["begins elsewhere", (first) => ({ ...first, contentRange: { start: 1, end: size, completeLength: size } })],
  ["ends elsewhere", (first) => ({ ...first, contentRange: { start: 0, end: 9, completeLength: size } })],
  ["has another size", (first) => ({ ...first, contentRange: { start: 0, end: 9, completeLength: 9 } })],
];
for (const [how, change] of brokenFirsts) {
  test(`a first message that ${how} breaks the contract`, withService(async (service, client) => {
    service.stream = async (play) => play.send(change(shelf.first(play.request)));
    assert.ok((await rejection(all(client.open(SID)))) instanceof ContractBrokenError);
    assert.equal(service.openings.length, 1);
  }));
}

const brokenChunks: [string, StreamRecordingResponse][] = [
  ["of another place", shelf.chunk(1, 10)],
  ["without data", shelf.chunk(0, 0)],
  ["past the promised end", { ...shelf.chunk(0, 0), data: Buffer.alloc(shelf.bytes.length + 1) }],
];
for (const [what, chunk] of brokenChunks) {
  test(`a chunk ${what} breaks the contract`, withService(async (service, client) => {
    service.stream = async (play) => {
      await play.send(shelf.first(play.request));
      await play.send(chunk);
      await play.left;
    };
    assert.ok((await rejection(all(client.open(SID)))) instanceof ContractBrokenError);
  }));
}

test("an end without a first message breaks the contract", withService(async (service, client) => {
  service.stream = async () => Promise.resolve();
  assert.ok((await rejection(all(client.open(SID)))) instanceof ContractBrokenError);
}));

test("every byte received is the end, whatever the status is", withService(async (service, client) => {
  service.stream = async (play) => {
    await shelf.send(play);
    await taken;
    throw refusal(Code.DATA_LOSS);
  };
  let takeAll: (() => void) | undefined;
  const taken = new Promise<void>((resolve) => (takeAll = resolve));
  const pieces = client.open(SID)[Symbol.asyncIterator]();
  let count = 0;
  while (count < shelf.bytes.length) {
    count += (await pieces.next()).value?.length ?? 0;
  }
  takeAll?.();
  assert.deepEqual(await pieces.next(), { done: true, value: undefined });
  assert.equal(service.openings.length, 1);
}));

test("attempts are used up without a message, and the last error is thrown", withService(async (service, client) => {
  service.stream = async () => Promise.reject(refusal(Code.UNAVAILABLE));
  assert.ok((await rejection(all(client.open(SID)))) instanceof UnavailableError);
  assert.equal(service.openings.length, 4);
}, { resumeAttempts: 3 }));

test("attempts are counted from the last message", withService(async (service, client) => {
  service.stream = async (play) => {
    // A byte a stream.
    await play.send(shelf.first(play.request));
    await play.send(shelf.chunk(play.request.offset, play.request.offset + 1));
  };
  assert.deepEqual(await all(client.open(SID, { length: 12 })), shelf.bytes.subarray(0, 12));
  assert.equal(service.openings.length, 12);
}, { resumeAttempts: 1 }));

test("messages without bytes are no progress", withService(async (service, client) => {
  service.stream = async (play) => play.send(shelf.first(play.request));
  assert.ok((await rejection(all(client.open(SID)))) instanceof UnavailableError);
  assert.equal(service.openings.length, 4);
}, { resumeAttempts: 3 }));

test("a stream that brings nothing is cancelled and opened again", withService(async (service, client) => {
  service.stream = async (play) => {
    await shelf.send(play, play.opening === 0 ? CHUNK : Infinity);
    if (play.opening === 0) {
      await play.left;
    }
  };
  assert.deepEqual(await all(client.open(SID)), shelf.bytes);
  assert.equal(service.openings.length, 2);
}, { stallTimeoutSeconds: 0.3 }));

test("time in which nobody reads is no stall", withService(async (service, client) => {
  service.stream = async (play) => shelf.send(play);
  const pieces = client.open(SID)[Symbol.asyncIterator]();
  await pieces.next();
  const waitedUntil = performance.now() + 600;
  await eventually("longer than a stall", () => performance.now() > waitedUntil);
  assert.equal((await all(pieces)).length, shelf.bytes.length - CHUNK);
  assert.equal(service.openings.length, 1);
}, { stallTimeoutSeconds: 0.2 }));

test("a service that comes back at the same port is read on from", withService(async (service, client) => {
  service.stream = async (play) => {
    await shelf.send(play, play.opening === 0 ? CHUNK : Infinity);
    if (play.opening === 0) {
      await play.left;
    }
  };
  const pieces = client.open(SID)[Symbol.asyncIterator]();
  const first = (await pieces.next()).value ?? new Uint8Array();
  service.stop();
  await service.start();
  assert.deepEqual(Buffer.concat([first, await all(pieces)]), shelf.bytes);
}, { resumeMaxBackoffSeconds: 0.2, resumeAttempts: 100 }));

test("a hundred breaks at any byte bring the right bytes and leave no stream", withService(async (service, client) => {
  service.stream = async (play) => {
    const offset = play.request.offset;
    const length = 1 + ((offset * 7919 + play.opening) % 6000);
    await play.send(shelf.first(play.request));
    await play.send(shelf.chunk(offset, Math.min(offset + length, shelf.bytes.length)));
    if (offset + length < shelf.bytes.length) {
      throw refusal(Code.UNAVAILABLE);
    }
  };
  assert.deepEqual(await all(client.open(SID)), shelf.bytes);
  assert.ok(service.openings.length > 50);
}));
