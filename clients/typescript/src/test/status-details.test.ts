import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata } from "@grpc/grpc-js";
import { statusDetails } from "../status-details.js";

/** A google.rpc.Status as Python's protobuf writes it: Help, ErrorInfo, BadRequest, RetryInfo, and a failed enqueue. */
const REAL =
  "CAMSHnRoZSByZXF1ZXN0IGlzIHdyb25nOiBncsO2w59lchpBCiN0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuSGVscBIa" +
  "ChgKAWQSE2h0dHBzOi8vZXhhbXBsZS5vcmcadAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkVycm9ySW5mbxJICg9J" +
  "TlZBTElEX1JFUVVFU1QSEXJlY29yZGluZy1zZXJ2aWNlGhMKDHJlY29yZGluZ1NpZBIDUkUxGg0KB2dyw7bDn2USAsOfGl4KKXR5" +
  "cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5CYWRSZXF1ZXN0EjEKGwoNcmVjb3JkaW5nX3NpZBIHaXMgbm9uZRoBUgoSCgZs" +
  "YWJlbHMSCGFyZSBtYW55GjUKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5SZXRyeUluZm8SCQoHCAMQgOWadxpPCjp0" +
  "eXBlLmdvb2dsZWFwaXMuY29tL3JlY29yZGluZ3MudjEuRW5xdWV1ZVJlY29yZGluZ1Jlc3BvbnNlEhEIBBINEgNSRTHAAoCAgICA" +
  "IA==";

function metadata(value: Buffer | undefined): Metadata {
  const found = new Metadata();
  if (value !== undefined) {
    found.set("grpc-status-details-bin", value);
  }
  return found;
}

test("the details of a real status are read, and what isn't known is skipped", () => {
  const details = statusDetails(metadata(Buffer.from(REAL, "base64")));
  assert.deepEqual(details.errorInfo, {
    reason: "INVALID_REQUEST",
    domain: "recording-service",
    metadata: { recordingSid: "RE1", größe: "ß" },
  });
  assert.deepEqual(details.fieldViolations, [
    { field: "recording_sid", description: "is none" },
    { field: "labels", description: "are many" },
  ]);
  assert.equal(details.retryDelaySeconds, 3.25);
  assert.equal(details.enqueued?.reason, 4);
  assert.equal(details.enqueued.recording?.revision, 2 ** 40);
});

test("without details there are none", () => {
  assert.deepEqual(statusDetails(metadata(undefined)), {});
  assert.deepEqual(statusDetails(metadata(Buffer.alloc(0))), {});
});

test("bytes that are no status say nothing, and never throw", () => {
  const real = Buffer.from(REAL, "base64");
  for (let length = 0; length < real.length; length++) {
    statusDetails(metadata(real.subarray(0, length)));
  }
  for (let place = 0; place < real.length; place++) {
    const broken = Buffer.from(real);
    broken[place] = (broken[place] ?? 0) ^ 0xff;
    statusDetails(metadata(broken));
  }
  assert.deepEqual(statusDetails(metadata(Buffer.from([0xff, 0xff, 0xff]))), {});
});
