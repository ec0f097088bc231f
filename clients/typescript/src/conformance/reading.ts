/** The operations that read bytes. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { credentials, Metadata } from "@grpc/grpc-js";
import type { RecordingReader, RecordingsClient } from "../index.js";
import { RecordingServiceClient, StreamRecordingRequest } from "../v1.js";
import { CutRead, type Result } from "./answers.js";
import type { Arguments, Pair } from "./arguments.js";
import type { Operation } from "./operations.js";

/** Asked for at a time, where the request doesn't say. */
const READ_BYTES = 65_536;
/** Readers at the same time in read_ranges_at. */
const READERS = 4;

export const READING: Readonly<Record<string, Operation>> = {
  read: async (client, given) => {
    await using reader = opened(client, given);
    const readBytes = given.number("read_bytes") ?? READ_BYTES;
    const [pauseAt, pauseSeconds] = given.pair("pause") ?? [Infinity, 0];
    let isToPause = true;
    const hash = createHash("sha256");
    let bytes = 0;
    const result = (): Result => ({ bytes, sha256: hash.copy().digest("hex") });
    try {
      for await (const part of partsOf(reader, readBytes)) {
        bytes += part.length;
        hash.update(part);
        if (isToPause && bytes >= pauseAt) {
          isToPause = false;
          await sleep(1000 * pauseSeconds);
        }
      }
    } catch (error) {
      throw new CutRead(result(), error);
    }
    return result();
  },

  read_ranges: async (client, given) => {
    await using reader = client.open(given.recordingSid);
    const sha256s: string[] = [];
    for (const range of given.pairs("ranges") ?? []) {
      sha256s.push(await sha256Of(reader, range));
    }
    return { sha256s };
  },

  read_ranges_at: async (client, given) => {
    const ranges = [...(given.pairs("ranges") ?? []).entries()];
    const sha256s = new Array<string>(ranges.length);
    const readers = Array.from({ length: READERS }, async (_, first) => {
      await using reader = client.open(given.recordingSid);
      for (const [index, range] of ranges.filter(([each]) => each % READERS === first)) {
        sha256s[index] = await sha256Of(reader, range);
      }
    });
    await Promise.all(readers);
    return { sha256s };
  },

  seek_read: async (client, given) => {
    await using reader = client.open(given.recordingSid);
    const bytes: number[] = [];
    for (const [place, count] of given.pairs("seeks") ?? []) {
      bytes.push((await reader.read(place, place + count)).length);
    }
    return { bytes };
  },

  close_early: async (client, given) => {
    const reader = client.open(given.recordingSid);
    const { length } = await reader.read(0, given.number("after_bytes") ?? 0);
    await reader.close();
    await reader.close();
    return { bytes: length };
  },

  use_closed_reader: async (client, given) => {
    const reader = client.open(given.recordingSid);
    await reader.read(0, 1);
    await reader.close();
    return { bytes: (await reader.read(0, 1)).length };
  },

  measure: async (client, given) => {
    await using reader = client.open(given.recordingSid);
    const began = performance.now();
    let bytes = 0;
    for await (const piece of reader) {
      bytes += piece.length;
    }
    return { bytes, seconds: (performance.now() - began) / 1000 };
  },
};

/** The yardstick: the generated stub on a channel as gRPC makes it, in a loop that counts bytes, or hashes them too. */
export async function measureStub(options: Arguments, given: Arguments): Promise<Result> {
  const stub = new RecordingServiceClient(options.text("target") ?? "", credentials.createInsecure());
  const metadata = new Metadata();
  const token = options.text("token");
  if (token !== undefined) {
    metadata.set("authorization", `Bearer ${token}`);
  }
  const request = StreamRecordingRequest.fromPartial({ recordingSid: given.recordingSid });
  const began = performance.now();
  const hash = given.text("with") === "checked_stub" ? createHash("sha256") : undefined;
  let bytes = 0;
  for await (const chunk of stub.streamRecording(request, metadata) as AsyncIterable<{ data: Buffer }>) {
    bytes += chunk.data.length;
    hash?.update(chunk.data);
  }
  const seconds = (performance.now() - began) / 1000;
  stub.close();
  return { bytes, seconds };
}

function opened(client: RecordingsClient, given: Arguments): RecordingReader {
  return client.open(given.recordingSid, {
    offset: given.number("offset"),
    length: given.number("length"),
    etag: given.text("etag"),
    wait: given.flag("wait"),
    waitTimeoutSeconds: given.number("wait_timeout"),
  });
}

/** The pieces of a stream of the web's, none larger than that. */
async function* partsOf(reader: RecordingReader, atMost: number): AsyncGenerator<Uint8Array> {
  for await (const piece of reader.stream()) {
    for (let place = 0; place < piece.length; place += atMost) {
      yield piece.subarray(place, place + atMost);
    }
  }
}

async function sha256Of(reader: RecordingReader, [start, end]: Pair): Promise<string> {
  return createHash("sha256").update(await reader.read(start, end)).digest("hex");
}
