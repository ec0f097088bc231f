import assert from "node:assert/strict";
import { test } from "node:test";
import { status as Code } from "@grpc/grpc-js";
import { ChecksumMismatchError, OffsetPastEndError, RecordingState } from "../index.js";
import { rejection } from "./eventually.js";
import type { FakeService } from "./fake-service.js";
import { all, withService } from "./harness.js";
import { refusal } from "./refusals.js";
import { CHUNK, SID, Shelf, type StreamPlay } from "./shelf.js";

const shelf = new Shelf(40 * CHUNK + 3);
const size = shelf.bytes.length;

/** Answers as the service does, an offset past the end with OUT_OF_RANGE. */
async function honest(play: StreamPlay): Promise<void> {
  if (play.request.offset > size) {
    throw refusal(Code.OUT_OF_RANGE, { reason: "OFFSET_PAST_END", metadata: { sizeBytes: String(size) } });
  }
  return shelf.send(play);
}

function offsets(service: FakeService): number[] {
  return service.openings.map(({ offset }) => offset);
}

test("opening a reader asks nothing of the service", withService(async (service, client) => {
  await client.open(SID).close();
  assert.equal(service.openings.length, 0);
}));

test("a read brings the bytes from one place to another", withService(async (service, client) => {
  service.stream = honest;
  await using reader = client.open(SID);
  assert.deepEqual(Buffer.from(await reader.read(10, 200_000)), shelf.bytes.subarray(10, 200_000));
  assert.deepEqual(await reader.read(7, 7), new Uint8Array());
  assert.deepEqual(offsets(service), [10]);
}));

test("a place at most 256 KiB ahead is reached by the same stream", withService(async (service, client) => {
  service.stream = honest;
  await using reader = client.open(SID);
  await reader.read(0, 10);
  const place = 10 + 262_144;
  assert.deepEqual(Buffer.from(await reader.read(place, place + 9)), shelf.bytes.subarray(place, place + 9));
  assert.deepEqual(offsets(service), [0]);
}));

test("a place further ahead, or behind, is reached by another stream of the same version", withService(
  async (service, client) => {
    service.stream = honest;
    await using reader = client.open(SID);
    await reader.read(0, 10);
    const place = 11 + 262_144 + CHUNK;
    await reader.read(place, place + 9);
    assert.deepEqual(Buffer.from(await reader.read(3, 5)), shelf.bytes.subarray(3, 5));
    assert.deepEqual(offsets(service), [0, place, 3]);
    assert.deepEqual(service.openings.map(({ etag }) => etag), ["", "etag-1", "etag-1"]);
  },
));

test("bytes that have come and were not handed out are read without another stream", withService(
  async (service, client) => {
    service.stream = honest;
    await using reader = client.open(SID);
    await reader.read(0, 10);
    assert.deepEqual(Buffer.from(await reader.read(5, 15)), shelf.bytes.subarray(5, 15));
    assert.deepEqual(offsets(service), [0]);
  },
));

test("at and past the end there is nothing, and nothing is opened", withService(async (service, client) => {
  service.stream = honest;
  await using reader = client.open(SID);
  assert.equal((await reader.read(size - 5, size + 5)).length, 5);
  assert.equal((await reader.read(size)).length, 0);
  assert.equal((await reader.read(size + 1000, size + 2000)).length, 0);
  assert.equal(service.openings.length, 1);
}));

test("past an end that isn't known yet there is nothing, and then it is known", withService(async (service, client) => {
  service.stream = honest;
  await using reader = client.open(SID);
  assert.equal((await reader.read(size + 1, size + 2)).length, 0);
  assert.equal((await reader.read(size + 5, size + 6)).length, 0);
  assert.equal(service.openings.length, 1);
  assert.equal(await reader.size(), size);
}));

test("a part that begins past the end is an error", withService(async (service, client) => {
  service.stream = honest;
  const error = await rejection(all(client.open(SID, { offset: size + 1 })));
  assert.ok(error instanceof OffsetPastEndError);
  assert.equal(error.sizeBytes, size);
}));

test("a place that can't be is a RangeError", withService(async (_, client) => {
  await using reader = client.open(SID);
  for (const [start, end] of [[-1, 5], [0.5, 5], [Number.NaN, 5], [5, 4], [0, Number.NaN], [0, 1.5]] as const) {
    await assert.rejects(reader.read(start, end), RangeError);
  }
  assert.throws(() => client.open(SID, { offset: -1 }), RangeError);
  assert.throws(() => client.open(SID, { length: -1 }), RangeError);
  assert.throws(() => client.open(SID, { offset: 1.5 }), RangeError);
}));

test("a part is read by the recording's own places", withService(async (service, client) => {
  service.stream = honest;
  await using reader = client.open(SID, { offset: 1000, length: 100_000 });
  assert.deepEqual(await all(reader), shelf.bytes.subarray(1000, 101_000));
  assert.deepEqual(Buffer.from(await reader.read(2000, 2010)), shelf.bytes.subarray(2000, 2010));
  assert.equal((await reader.read(100_999)).length, 1);
  assert.equal(await reader.size(), size);
  assert.deepEqual([service.openings[0]?.offset, service.openings[0]?.length], [1000, 100_000]);
}));

test("a part without bytes opens nothing", withService(async (service, client) => {
  await using reader = client.open(SID, { offset: 5, length: 0 });
  assert.equal((await all(reader)).length, 0);
  assert.equal((await reader.read(5)).length, 0);
  await assert.rejects(reader.size(), RangeError);
  assert.equal(service.openings.length, 0);
}));

test("an etag is pinned from the start", withService(async (service, client) => {
  service.stream = honest;
  await using reader = client.open(SID, { etag: "etag-0" });
  await assert.rejects(reader.read(0, 1), { name: "EtagMismatchError" });
  assert.equal(service.openings[0]?.etag, "etag-0");
}));

test("the recording and its size are those of the version that is read", withService(async (service, client) => {
  service.stream = honest;
  await using reader = client.open(SID);
  assert.equal((await reader.recording()).contentType, "audio/mpeg");
  assert.equal(await reader.size(), size);
  assert.deepEqual(await all(reader), shelf.bytes);
  assert.equal(service.openings.length, 1);
}));

function withAFlippedBit(at: number) {
  const other = new Shelf(size);
  other.recording = shelf.recording;
  other.bytes[at] = (other.bytes[at] ?? 0) ^ 1;
  return async (play: StreamPlay): Promise<void> => other.send(play);
}

test("the last bytes of a whole read that is another one are not handed out", withService(async (service, client) => {
  service.stream = withAFlippedBit(3 * CHUNK);
  await using reader = client.open(SID);
  let count = 0;
  await assert.rejects(async () => {
    for await (const piece of reader) {
      count += piece.length;
    }
  }, ChecksumMismatchError);
  assert.equal(count, 40 * CHUNK);
  await assert.rejects(reader.read(0), ChecksumMismatchError);
  assert.equal((await reader.read(0, CHUNK)).length, CHUNK);
  await assert.rejects(reader.read(CHUNK, size), ChecksumMismatchError);
}));

test("a read with a gap can't be compared", withService(async (service, client) => {
  service.stream = withAFlippedBit(3 * CHUNK);
  await using reader = client.open(SID);
  await reader.read(0, 10);
  assert.equal((await reader.read(11)).length, size - 11);
  assert.equal((await all(client.open(SID, { offset: 1 }))).length, size - 1);
}));

test("an empty recording has nothing to compare", withService(async (service, client) => {
  const empty = new Shelf(0);
  service.stream = async (play) => empty.send(play);
  await using reader = client.open(SID);
  assert.equal((await all(reader)).length, 0);
  assert.equal((await reader.read(0)).length, 0);
  assert.equal(await reader.size(), 0);
}));

test("with wait a recording that isn't READY is waited for by a watch", withService(async (service, client) => {
  service.watch = async (play) => {
    const queued = { ...shelf.recording, state: RecordingState.RECORDING_STATE_QUEUED, revision: 1 };
    await play.send({ recording: queued });
    await play.send({ recording: shelf.recording });
  };
  service.stream = honest;
  await using reader = client.open(SID, { wait: true });
  assert.deepEqual(await all(reader), shelf.bytes);
  await reader.read(3, 9);
  assert.deepEqual([service.watches.length, service.calls.length], [1, 0]);
}));

test("with wait it ends with the time to wait", withService(async (service, client) => {
  service.watch = async (play) => play.left;
  await using reader = client.open(SID, { wait: true, waitTimeoutSeconds: 0.1 });
  await assert.rejects(reader.read(0, 1), { name: "DeadlineExceededError" });
  assert.equal(service.openings.length, 0);
}));

test("after an error reading may be tried again", withService(async (service, client) => {
  service.stream = async (play) => {
    if (play.opening === 0) {
      throw refusal(Code.FAILED_PRECONDITION, { reason: "RECORDING_NOT_READY", metadata: { state: "QUEUED" } });
    }
    return honest(play);
  };
  await using reader = client.open(SID);
  await assert.rejects(reader.read(0, 10), { name: "RecordingNotReadyError", state: "QUEUED" });
  assert.equal((await reader.read(0, 10)).length, 10);
}));

test("reads at the same time are done one after the other", withService(async (service, client) => {
  service.stream = honest;
  await using reader = client.open(SID);
  const places = [900_000, 0, 2_000_000, 5, 1_500_000];
  const reads = await Promise.all(places.map(async (place) => reader.read(place, place + 70_000)));
  for (const [index, place] of places.entries()) {
    assert.deepEqual(Buffer.from(reads[index] ?? []), shelf.bytes.subarray(place, place + 70_000));
  }
}));

test("two passes over one reader each bring everything", withService(async (service, client) => {
  service.stream = honest;
  await using reader = client.open(SID);
  const [one, two] = await Promise.all([all(reader), all(reader.stream())]);
  assert.deepEqual(one, shelf.bytes);
  assert.deepEqual(two, shelf.bytes);
}));

test("a stream of the web's is what `Response` takes", withService(async (service, client) => {
  service.stream = honest;
  const response = new Response(client.open(SID).stream());
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), shelf.bytes);
}));
