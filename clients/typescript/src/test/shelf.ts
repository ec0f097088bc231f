/** One recording of bytes that look like random ones, and the messages that bring it. */
import { createHash } from "node:crypto";
import { Recording, RecordingState } from "../generated/recordings/v1/recording.js";
import type { StreamRecordingRequest, StreamRecordingResponse } from "../generated/recordings/v1/stream.js";
import type { Play } from "./fake-service.js";

export const SID = `RE${"0".repeat(31)}1`;
export const CHUNK = 65_536;

export type StreamPlay = Play<StreamRecordingRequest, StreamRecordingResponse>;

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export class Shelf {
  readonly bytes: Buffer;
  recording: Recording;

  constructor(size: number) {
    this.bytes = Buffer.alloc(size);
    let state = size + 1;
    for (let place = 0; place < size; place++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      this.bytes[place] = state >>> 16;
    }
    this.recording = Recording.fromPartial({
      recordingSid: SID,
      state: RecordingState.RECORDING_STATE_READY,
      sizeBytes: size,
      sha256: sha256(this.bytes),
      etag: "etag-1",
      contentType: "audio/mpeg",
      revision: 7,
    });
  }

  /** One past the last byte that this request asks for. */
  end({ offset, length }: StreamRecordingRequest): number {
    return Math.min(this.bytes.length, length === 0 ? this.bytes.length : offset + length);
  }

  /** The first message of an honest answer, without data. */
  first(request: StreamRecordingRequest): StreamRecordingResponse {
    return {
      data: Buffer.alloc(0),
      offset: request.offset,
      recording: this.recording,
      contentRange: { start: request.offset, end: this.end(request), completeLength: this.bytes.length },
    };
  }

  chunk(start: number, end: number): StreamRecordingResponse {
    return { data: this.bytes.subarray(start, end), offset: start, recording: undefined, contentRange: undefined };
  }

  /** An honest answer up to that place; it doesn't end the stream. */
  async send(play: StreamPlay, until = Infinity): Promise<void> {
    const end = Math.min(until, this.end(play.request));
    await play.send(this.first(play.request));
    for (let place = play.request.offset; place < end; place += CHUNK) {
      await play.send(this.chunk(place, Math.min(place + CHUNK, end)));
    }
  }
}
