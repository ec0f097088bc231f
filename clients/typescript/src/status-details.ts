/**
 * What a failed call says beside its code: the google.rpc.Status in the trailing metadata `grpc-status-details-bin`,
 * with those messages in its details that the service's errors are made of (google/rpc/error_details.proto).
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { Metadata } from "@grpc/grpc-js";
import type { FieldViolation } from "./errors.js";
import { EnqueueRecordingResponse } from "./generated/recordings/v1/enqueue.js";

const KEY = "grpc-status-details-bin";

/** A google.rpc.ErrorInfo. */
export interface ErrorInfo {
  reason: string;
  domain: string;
  metadata: Record<string, string>;
}

/** The details that are known here; what is missing wasn't said. */
export interface StatusDetails {
  errorInfo?: ErrorInfo;
  fieldViolations?: FieldViolation[];
  retryDelaySeconds?: number;
  enqueued?: EnqueueRecordingResponse;
}

/** The details that a call ended with. None where there is no google.rpc.Status: the code alone says what happened. */
export function statusDetails(metadata: Metadata): StatusDetails {
  const [value] = metadata.get(KEY);
  if (!Buffer.isBuffer(value)) {
    return {};
  }
  const details: StatusDetails = {};
  try {
    eachBytes(value, 3, (any) => {
      take(any, details);
    });
  } catch {
    // What can't be read says nothing; what came before it does.
  }
  return details;
}

type Fields = Record<number, readonly [type: WireType, take: (reader: BinaryReader) => void]>;

/** Reads a message whose fields are these, and skips others: those of a later version, or of another type. */
function readFields(bytes: Uint8Array, fields: Fields): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const field = fields[number];
    if (field?.[0] === type) {
      field[1](reader);
    } else {
      reader.skip(type, number);
    }
  }
}

/** Calls back with the bytes of a field, however often it is there. */
function eachBytes(message: Uint8Array, field: number, callback: (bytes: Uint8Array) => void): void {
  readFields(message, {
    [field]: [
      WireType.LengthDelimited,
      (reader) => {
        callback(reader.bytes());
      },
    ],
  });
}

/** The text in a field; empty if there is none. */
function text(message: Uint8Array, field: number): string {
  let found = "";
  readFields(message, {
    [field]: [
      WireType.LengthDelimited,
      (reader) => {
        found = reader.string();
      },
    ],
  });
  return found;
}

/** The integer in a field; 0 if there is none. */
function integer(message: Uint8Array, field: number): number {
  let found = 0;
  readFields(message, {
    [field]: [
      WireType.Varint,
      (reader) => {
        found = Number(reader.int64());
      },
    ],
  });
  return found;
}

/** Takes a google.protobuf.Any, if it is one of the messages that are known here. */
function take(any: Uint8Array, details: StatusDetails): void {
  const typeUrl = text(any, 1);
  let value = new Uint8Array();
  eachBytes(any, 2, (bytes) => {
    value = new Uint8Array(bytes);
  });
  switch (typeUrl.slice(typeUrl.lastIndexOf("/") + 1)) {
    case "google.rpc.ErrorInfo":
      details.errorInfo = errorInfo(value);
      break;
    case "google.rpc.BadRequest":
      details.fieldViolations = fieldViolations(value);
      break;
    case "google.rpc.RetryInfo":
      details.retryDelaySeconds = retryDelaySeconds(value);
      break;
    case "recordings.v1.EnqueueRecordingResponse":
      details.enqueued = EnqueueRecordingResponse.decode(value);
      break;
    default:
    // Nothing that this client makes use of.
  }
}

function errorInfo(message: Uint8Array): ErrorInfo {
  const metadata: Record<string, string> = {};
  eachBytes(message, 3, (entry) => {
    metadata[text(entry, 1)] = text(entry, 2);
  });
  return { reason: text(message, 1), domain: text(message, 2), metadata };
}

function fieldViolations(message: Uint8Array): FieldViolation[] {
  const violations: FieldViolation[] = [];
  eachBytes(message, 1, (violation) => {
    violations.push({ field: text(violation, 1), description: text(violation, 2) });
  });
  return violations;
}

function retryDelaySeconds(message: Uint8Array): number {
  let seconds = 0;
  eachBytes(message, 1, (duration) => {
    seconds = integer(duration, 1) + integer(duration, 2) / 1e9;
  });
  return seconds;
}
