import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { ContractBrokenError } from "../index.js";
import { receivedChunk } from "../received-chunk.js";
import { StreamRecordingResponse } from "../v1.js";
import { Shelf } from "./shelf.js";

const shelf = new Shelf(1000);

function encoded(message: StreamRecordingResponse): Buffer {
  return Buffer.from(StreamRecordingResponse.encode(message).finish());
}

test("what is read is what the generated code reads", () => {
  const first = shelf.first({ accountSid: "", recordingSid: "", offset: 3, length: 0, etag: "" });
  const messages = [
    first,
    { ...first, data: shelf.bytes.subarray(3, 100) },
    shelf.chunk(0, 1000),
    shelf.chunk(999, 1000),
    { ...shelf.chunk(0, 10), offset: 2 ** 52 },
    StreamRecordingResponse.fromPartial({}),
  ];
  for (const message of messages) {
    const { data, ...rest } = StreamRecordingResponse.decode(encoded(message));
    const { data: bytes, ...others } = receivedChunk(encoded(message));
    assert.deepEqual(Buffer.from(bytes), data);
    assert.deepEqual(others, rest);
  }
});

test("its bytes are a view into the message, and no Buffer", () => {
  const message = encoded(shelf.chunk(0, 1000));
  const { data } = receivedChunk(message);
  assert.equal(data.buffer, message.buffer);
  assert.equal(Object.getPrototypeOf(data), Uint8Array.prototype);
});

test("fields of a later version are skipped", () => {
  const later = new BinaryWriter().uint32(802).string("new").uint32(808).int64(5).finish();
  const message = Buffer.concat([later, encoded(shelf.chunk(5, 9))]);
  assert.deepEqual(Buffer.from(receivedChunk(message).data), shelf.bytes.subarray(5, 9));
});

test("what is no message breaks the contract", () => {
  const message = encoded(shelf.chunk(0, 1000));
  assert.throws(() => receivedChunk(message.subarray(0, 500)), ContractBrokenError);
  assert.throws(() => receivedChunk(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff])), ContractBrokenError);
});
