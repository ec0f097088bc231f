import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { status as Code } from "@grpc/grpc-js";
import { EnqueueReason, RecordingState } from "../index.js";
import { BatchEnqueueRecordingsResponse, CreatePlaybackUrlResponse, ListRecordingsResponse } from "../v1.js";
import type { FakeService } from "./fake-service.js";
import { withService } from "./harness.js";
import { refusal } from "./refusals.js";
import { CHUNK, SID, Shelf, sha256 } from "./shelf.js";

const shelf = new Shelf(3 * CHUNK + 7);

interface Answer {
  id: number;
  result?: Record<string, unknown>;
  error?: Record<string, unknown>;
}

/** The answers of one runner to these requests. Also that it ends when its input does. */
async function answers(service: FakeService, requests: Record<string, unknown>[]): Promise<Answer[]> {
  const runner = spawn(process.execPath, [fileURLToPath(new URL("../conformance/runner.js", import.meta.url))], {
    stdio: ["pipe", "pipe", "ignore"],
    timeout: 30_000,
  });
  const ended = new Promise<number | null>((resolve) => runner.once("close", resolve));
  for (const [id, request] of requests.entries()) {
    runner.stdin.write(`${JSON.stringify({ id, options: { target: service.target }, ...request })}\n`);
  }
  runner.stdin.end();
  const found: Answer[] = [];
  for await (const line of createInterface({ input: runner.stdout })) {
    found.push(JSON.parse(line) as Answer);
  }
  assert.equal(await ended, 0);
  return found;
}

const about = { recording_sid: SID };

test("each operation has the answer of the protocol", withService(async (service) => {
  service.stream = async (play) => shelf.send(play);
  service.watch = async (play) => play.send({ recording: shelf.recording });
  service.get = () => ({ recording: shelf.recording });
  service.delete = () => ({ recording: undefined });
  service.batch = () =>
    BatchEnqueueRecordingsResponse.fromPartial({
      results: [{ reason: EnqueueReason.ENQUEUE_REASON_CACHED }, { reason: 4, error: { reason: "R", field: "f" } }],
    });
  service.list = () => ListRecordingsResponse.fromPartial({ recordings: [{ recordingSid: SID }] });
  service.url = () =>
    CreatePlaybackUrlResponse.fromPartial({
      url: "http://127.0.0.1/recordings/x/stream?token=secret",
      expireTime: new Date(Date.now() + 90_000),
    });
  const whole = { bytes: shelf.bytes.length, sha256: sha256(shelf.bytes) };
  const ranges = [[0, 9], [70_000, 150_000], [5, 6]] as const;
  const sha256s = ranges.map(([start, end]) => sha256(shelf.bytes.subarray(start, end)));
  const expected: [operation: string, given: object, result: object][] = [
    ["enqueue", { ...about, job: "DOWNLOAD_ONLY", labels: { a: "b" } }, { reason: "ENQUEUED" }],
    ["batch_enqueue", { recording_sids: [SID, "no"] }, {
      results: [{ reason: "CACHED", error_reason: "", field: "" }, { reason: "ERROR", error_reason: "R", field: "f" }],
    }],
    ["get", about, { state: "READY", size_bytes: shelf.bytes.length }],
    ["list", { call_sid: "CA1", page_size: 2 }, { recording_sids: [SID] }],
    ["watch", { ...about, timeout: 5 }, { states: ["READY"] }],
    ["wait_until_ready", { ...about, timeout: 5 }, { state: "READY", size_bytes: shelf.bytes.length }],
    ["read", about, whole],
    ["read", { ...about, wait: true, read_bytes: 1000, pause: [5000, 0.01] }, whole],
    ["read", { ...about, offset: 5, length: 4 }, { bytes: 4, sha256: sha256(shelf.bytes.subarray(5, 9)) }],
    ["read_ranges", { ...about, ranges }, { sha256s }],
    ["read_ranges_at", { ...about, ranges }, { sha256s }],
    ["seek_read", { ...about, seeks: [[0, 10], [shelf.bytes.length - 3, 10], [10 ** 9, 10]] }, { bytes: [10, 3, 0] }],
    ["close_early", { ...about, after_bytes: 1000 }, { bytes: 1000 }],
    ["abandon_watch", about, { state: "READY" }],
    ["create_playback_url", { ...about, ttl: 90 }, { path: "/recordings/x/stream", seconds: 90 }],
    ["delete", { ...about, allow_missing: true }, { state: "" }],
  ];
  const found = await answers(service, expected.map(([operation, given]) => ({ operation, arguments: given })));
  assert.deepEqual(found, expected.map(([, , result], id) => ({ id, result })));
}));

test("both ways of measuring count all bytes", withService(async (service) => {
  service.stream = async (play) => shelf.send(play);
  const ways = ["reader", "stub"].map((how) => ({ operation: "measure", arguments: { ...about, with: how } }));
  const found = await answers(service, ways);
  assert.deepEqual(found.map(({ result }) => result?.["bytes"]), [shelf.bytes.length, shelf.bytes.length]);
  assert.ok(found.every(({ result }) => (result?.["seconds"] as number) > 0));
}));

test("errors are named as in the table, with what the service says", withService(async (service) => {
  service.get = () => {
    throw refusal(Code.FAILED_PRECONDITION, {
      reason: "RECORDING_NOT_READY",
      metadata: { state: "QUEUED" },
      violations: [["recording_sid", "x"]],
    });
  };
  service.stream = async (play) => {
    await shelf.send(play, CHUNK);
    throw refusal(play.opening === 0 ? Code.DATA_LOSS : Code.FAILED_PRECONDITION);
  };
  service.watch = async (play) =>
    play.send({ recording: { ...shelf.recording, state: RecordingState.RECORDING_STATE_FAILED } });
  const own = { code: "", reason: "", metadata: {}, fields: [] };
  const found = await answers(service, [
    { operation: "get", arguments: about },
    { operation: "read", arguments: about },
    { operation: "read", arguments: { ...about, offset: -1 } },
    { operation: "get", arguments: about, options: { target: service.target, timeout: 0 } },
    { operation: "use_closed_client", arguments: about },
    { operation: "wait_until_ready", arguments: about },
    { operation: "juggle", arguments: about },
  ]);
  assert.deepEqual(found[0]?.error, {
    kind: "RecordingNotReady",
    code: "FAILED_PRECONDITION",
    reason: "RECORDING_NOT_READY",
    metadata: { state: "QUEUED" },
    fields: ["recording_sid"],
  });
  assert.deepEqual([found[1]?.error?.["kind"], found[1]?.error?.["code"]], ["RecordingsError", "DATA_LOSS"]);
  assert.equal(typeof found[1]?.result?.["sha256"], "string");
  assert.deepEqual(found[2]?.error, { kind: "InvalidArgument", ...own });
  assert.deepEqual(found[3]?.error, { kind: "InvalidOption", ...own });
  assert.deepEqual(found[4]?.error, { kind: "ClientClosed", ...own });
  assert.equal(found[5]?.error?.["kind"], "RecordingFailed");
  assert.equal(found[6]?.error?.["kind"], "Unexpected");
}));
