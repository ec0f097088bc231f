/** Statuses as the service sends them, with a google.rpc.Status in their trailing metadata. */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Metadata, type status as Code, type StatusObject } from "@grpc/grpc-js";
import { EnqueueRecordingResponse } from "../generated/recordings/v1/enqueue.js";

export interface Details {
  reason?: string;
  domain?: string;
  metadata?: Record<string, string>;
  violations?: [field: string, description: string][];
  retryDelaySeconds?: number;
  enqueued?: EnqueueRecordingResponse;
}

/** A status, as a server of grpc-js takes it. */
export class Refusal extends Error implements StatusObject {
  readonly details = "as the service says it";
  readonly metadata = new Metadata();

  constructor(readonly code: Code) {
    super();
  }
}

/** A status with these details; without any it is one of gRPC's own. */
export function refusal(code: Code, details?: Details): Refusal {
  const status = new Refusal(code);
  if (details !== undefined) {
    status.metadata.set("grpc-status-details-bin", Buffer.from(statusOf(code, status.details, details)));
  }
  return status;
}

function statusOf(code: Code, text: string, details: Details): Uint8Array {
  const writer = new BinaryWriter().uint32(8).int32(code).uint32(18).string(text);
  for (const [type, value] of messagesOf(details)) {
    const any = new BinaryWriter().uint32(10).string(`type.googleapis.com/${type}`).uint32(18).bytes(value).finish();
    writer.uint32(26).bytes(any);
  }
  return writer.finish();
}

function* messagesOf(details: Details): Generator<[type: string, value: Uint8Array]> {
  const { reason, domain = "recording-service", metadata = {}, violations, retryDelaySeconds, enqueued } = details;
  if (reason !== undefined) {
    const writer = new BinaryWriter().uint32(10).string(reason).uint32(18).string(domain);
    for (const entry of Object.entries(metadata)) {
      writer.uint32(26).bytes(twoTexts(...entry));
    }
    yield ["google.rpc.ErrorInfo", writer.finish()];
  }
  if (violations !== undefined) {
    const writer = new BinaryWriter();
    for (const violation of violations) {
      writer.uint32(10).bytes(twoTexts(...violation));
    }
    yield ["google.rpc.BadRequest", writer.finish()];
  }
  if (retryDelaySeconds !== undefined) {
    const seconds = Math.trunc(retryDelaySeconds);
    const nanos = Math.round((retryDelaySeconds - seconds) * 1e9);
    const duration = new BinaryWriter().uint32(8).int64(seconds).uint32(16).int32(nanos).finish();
    yield ["google.rpc.RetryInfo", new BinaryWriter().uint32(10).bytes(duration).finish()];
  }
  if (enqueued !== undefined) {
    yield ["recordings.v1.EnqueueRecordingResponse", EnqueueRecordingResponse.encode(enqueued).finish()];
  }
}

function twoTexts(one: string, two: string): Uint8Array {
  return new BinaryWriter().uint32(10).string(one).uint32(18).string(two).finish();
}
