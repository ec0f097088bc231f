import assert from "node:assert/strict";
import { test } from "node:test";
import { status as Code } from "@grpc/grpc-js";
import { ClientClosedError, UnavailableReason, type RecordingsClient } from "../index.js";
import { eventually, rejection } from "./eventually.js";
import { noAnswer } from "./fake-service.js";
import { withService } from "./harness.js";
import { refusal } from "./refusals.js";
import { CHUNK, SID, Shelf, type StreamPlay } from "./shelf.js";

const shelf = new Shelf(300 * CHUNK);

/** Sends one chunk and nothing more. */
async function hang(play: StreamPlay): Promise<void> {
  await shelf.send(play, CHUNK);
  await play.left;
}

async function honest(play: StreamPlay): Promise<void> {
  return shelf.send(play);
}

test("closing cancels the stream at once, and twice is nothing", withService(async (service, client) => {
  service.stream = hang;
  const reader = client.open(SID);
  await reader.read(0, 10);
  assert.equal(service.open, 1);
  await reader.close();
  await reader.close();
  await eventually("the stream is closed", () => service.open === 0);
  await assert.rejects(reader.read(0, 1), ClientClosedError);
  await assert.rejects(reader.size(), ClientClosedError);
  await assert.rejects(reader[Symbol.asyncIterator]().next(), ClientClosedError);
}));

test("closing ends a read that waits", withService(async (service, client) => {
  service.stream = hang;
  const reader = client.open(SID);
  const waiting = rejection(reader.read(0, 2 * CHUNK));
  await eventually("it is open", () => service.open === 1);
  await reader.close();
  assert.ok((await waiting) instanceof ClientClosedError);
}));

test("closing ends the wait between two attempts", withService(async (service, client) => {
  service.stream = async () => Promise.reject(refusal(Code.UNAVAILABLE, { retryDelaySeconds: 100 }));
  const reader = client.open(SID);
  const waiting = rejection(reader.read(0, 1));
  await eventually("it was refused", () => service.openings.length === 1 && service.open === 0);
  await reader.close();
  assert.ok((await waiting) instanceof ClientClosedError);
}));

test("closing ends the waiting for a recording", withService(async (service, client) => {
  service.watch = async (play) => play.left;
  const reader = client.open(SID, { wait: true });
  const waiting = rejection(reader.read(0, 1));
  await eventually("it is watched", () => service.open === 1);
  await reader.close();
  assert.ok((await waiting) instanceof ClientClosedError);
}));

test("a `for await` that is left cancels the stream at once, and the reader may be used on", withService(
  async (service, client) => {
    service.stream = hang;
    const reader = client.open(SID);
    for await (const piece of reader) {
      assert.equal(piece.length, CHUNK);
      break;
    }
    await eventually("the stream is closed", () => service.open === 0);
    assert.equal((await reader.read(5, 9)).length, 4);
    await reader.close();
  },
));

test("leaving ends a `next` that waits", withService(async (service, client) => {
  service.stream = hang;
  const pieces = client.open(SID)[Symbol.asyncIterator]();
  await pieces.next();
  const waiting = pieces.next();
  await pieces.return();
  assert.deepEqual(await waiting, { done: true, value: undefined });
  await eventually("the stream is closed", () => service.open === 0);
}));

test("a web stream that is cancelled cancels the stream at once", withService(async (service, client) => {
  service.stream = hang;
  const web = client.open(SID).stream().getReader();
  await web.read();
  const waiting = web.read();
  await web.cancel();
  assert.equal((await waiting).done, true);
  await eventually("the stream is closed", () => service.open === 0);
}));

test("a web stream that fails passes the error on", withService(async (service, client) => {
  service.stream = async () => Promise.reject(refusal(Code.DATA_LOSS, { reason: "RECORDING_TRUNCATED" }));
  await assert.rejects(client.open(SID).stream().getReader().read(), { name: "RecordingTruncatedError" });
}));

test("a client closes what it has opened", withService(async (service, client) => {
  service.stream = hang;
  service.watch = async (play) => play.left;
  service.get = noAnswer;
  const reader = client.open(SID);
  await reader.read(0, 10);
  const waiting = [
    rejection(reader.read(0, 2 * CHUNK)),
    rejection(client.watch(SID).next()),
    rejection(client.get(SID)),
    rejection(client.waitUntilReady(SID, { timeoutSeconds: 60 })),
  ];
  await eventually("all is under way", () => service.open === 3 && service.calls.length === 1);
  await client.close();
  await client.close();
  for (const error of await Promise.all(waiting)) {
    assert.ok(error instanceof ClientClosedError, String(error));
  }
}));

test("a closed client can't be used", withService(async (_, client) => {
  const reader = client.open(SID);
  await client.close();
  for (const use of everyCall(client)) {
    await assert.rejects(use(), ClientClosedError);
  }
  await assert.rejects(reader.read(0, 1), ClientClosedError);
}));

test("a signal ends what is under way at once, with its reason", withService(async (service, client) => {
  service.stream = hang;
  service.watch = async (play) => play.left;
  service.get = noAnswer;
  const reason = new Error("nobody listens any more");
  const controller = new AbortController();
  const { signal } = controller;
  const reader = client.open(SID, { signal });
  await reader.read(0, 10);
  const waiting = [
    rejection(reader.read(0, 2 * CHUNK)),
    rejection(client.watch(SID, { signal }).next()),
    rejection(client.get(SID, { signal })),
    rejection(client.waitUntilReady(SID, { signal })),
  ];
  await eventually("all is under way", () => service.open === 3 && service.calls.length === 1);
  controller.abort(reason);
  for (const error of await Promise.all(waiting)) {
    assert.equal(error, reason);
  }
  await eventually("no stream is open", () => service.open === 0);
  for (const use of everyCall(client, signal)) {
    assert.equal(await rejection(use()), reason);
  }
}));

test("a signal ends a stream that nobody reads", withService(async (service, client) => {
  service.stream = hang;
  const controller = new AbortController();
  await client.open(SID, { signal: controller.signal }).read(0, 10);
  controller.abort();
  await eventually("the stream is closed", () => service.open === 0);
}));

test("a signal that lives long isn't held on to", withService(async (service, client) => {
  service.stream = honest;
  const { signal } = new AbortController();
  let listeners = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...given: Parameters<typeof add>) => {
    listeners++;
    add(...given);
  };
  signal.removeEventListener = (...given: Parameters<typeof remove>) => {
    listeners--;
    remove(...given);
  };
  await client.enqueue(SID, { signal });
  const reader = client.open(SID, { signal });
  await reader.read(0, 10);
  assert.equal(listeners, 1);
  await reader.close();
  assert.equal(listeners, 0);
}));

test("little is sent ahead of a reader that is slow", withService(async (service, client) => {
  let sent = 0;
  service.stream = async (play) => {
    await play.send(shelf.first(play.request));
    for (let place = 0; place < shelf.bytes.length; place += CHUNK) {
      sent = place;
      await play.send(shelf.chunk(place, place + CHUNK));
    }
  };
  const pieces = client.open(SID)[Symbol.asyncIterator]();
  await pieces.next();
  let before = -1;
  await eventually("the service waits", () => {
    const waits = sent === before && sent > 0;
    before = sent;
    return waits;
  });
  // Sixteen messages are the server's own: its stream of Node's holds so many. A few are gRPC's and ours.
  assert.ok(sent <= 22 * CHUNK, `${String(sent)} bytes were sent ahead`);
  await pieces.return();
}));

test("a stream that has brought its last byte may end by itself, for a second", withService(async (service, client) => {
  const short = new Shelf(CHUNK);
  service.stream = async (play) => {
    await short.send(play);
    await play.left;
  };
  const reader = client.open(SID);
  await reader.read(0);
  const closedAt = performance.now();
  await reader.close();
  await eventually("it is cancelled", () => service.open === 0);
  assert.ok(performance.now() - closedAt > 900);
}));

/** Every call that asks the service. */
function everyCall(client: RecordingsClient, signal?: AbortSignal): (() => Promise<unknown>)[] {
  return [
    async () => client.enqueue(SID, { signal }),
    async () => client.batchEnqueue([{ recordingSid: SID }], { signal }),
    async () => client.reportUnavailable(SID, UnavailableReason.UNAVAILABLE_REASON_ABSENT, { signal }),
    async () => client.get(SID, { signal }),
    async () => client.list({ signal }).next(),
    async () => client.watch(SID, { signal }).next(),
    async () => client.waitUntilReady(SID, { signal }),
    async () => client.open(SID, { signal }).read(0, 1),
    async () => client.createPlaybackUrl(SID, { signal }),
    async () => client.delete(SID, { signal }),
  ];
}
