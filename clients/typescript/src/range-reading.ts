/** The rules of reading a range across streams that break (a to d of clients/README.md), free of input and output. */
import { ContractBrokenError, EtagMismatchError } from "./errors.js";
import type { Recording } from "./generated/recordings/v1/recording.js";
import type { StreamRecordingRequest } from "./generated/recordings/v1/stream.js";
import { receivedChunk, type ReceivedChunk } from "./received-chunk.js";

/** Which bytes of which recording. */
export interface ByteRange {
  readonly accountSid: string;
  readonly recordingSid: string;
  /** First byte. */
  readonly offset: number;
  /** One past the last byte; undefined stands for the end of the recording. */
  readonly end: number | undefined;
  /** Only this version; empty: whichever is current. */
  readonly etag: string;
}

/** What the first message of a stream says: the recording, and which bytes are to come (`end` exclusive). */
export interface Opening {
  readonly recording: Recording;
  readonly start: number;
  readonly end: number;
  readonly completeLength: number;
}

/** One range, of which each byte is to come once. The next stream is opened at the next byte, of the same version. */
export class RangeReading {
  readonly #wanted: ByteRange;
  #opening: Opening | undefined;
  #position: number;

  constructor(wanted: ByteRange) {
    this.#wanted = wanted;
    this.#position = wanted.offset;
  }

  /** What the first message of all has said; undefined before it. */
  get opening(): Opening | undefined {
    return this.#opening;
  }

  /** Whether nothing is left to come: then no stream must be opened, since a length of 0 stands for the end. */
  get isComplete(): boolean {
    const end = this.#opening?.end ?? this.#wanted.end;
    return end !== undefined && this.#position >= end;
  }

  /** What to open the next stream with. Not to be asked once the range is complete. */
  request(): StreamRecordingRequest {
    const end = this.#opening?.end ?? this.#wanted.end;
    return {
      accountSid: this.#wanted.accountSid,
      recordingSid: this.#wanted.recordingSid,
      offset: this.#position,
      length: end === undefined ? 0 : end - this.#position,
      etag: this.#pinned,
    };
  }

  /**
   * Takes the first message of a stream; its data, perhaps none.
   *
   * @throws EtagMismatchError it is of another version than the one pinned
   * @throws ContractBrokenError it isn't what was asked for
   */
  first(message: Buffer): Uint8Array {
    const chunk = receivedChunk(message);
    const { recording, contentRange } = chunk;
    if (recording === undefined || contentRange === undefined) {
      throw new ContractBrokenError("a stream whose first message does not say what it brings");
    }
    const opening = { recording, ...contentRange };
    this.#check(opening);
    // The first one's range: a later stream brings what is left of it.
    this.#opening ??= opening;
    return this.#received(chunk, this.#opening);
  }

  /**
   * Takes any further message; its data, at least a byte.
   *
   * @throws ContractBrokenError it isn't what comes next
   */
  later(message: Buffer): Uint8Array {
    const chunk = receivedChunk(message);
    if (chunk.data.length === 0 || this.#opening === undefined) {
      throw new ContractBrokenError("an empty message that is not the first");
    }
    return this.#received(chunk, this.#opening);
  }

  get #pinned(): string {
    return this.#opening?.recording.etag ?? this.#wanted.etag;
  }

  #check({ recording, start, end, completeLength }: Opening): void {
    if (this.#pinned !== "" && recording.etag !== this.#pinned) {
      throw new EtagMismatchError("the recording has become another version", { metadata: { etag: recording.etag } });
    }
    if (recording.etag === "") {
      throw new ContractBrokenError("a stream that does not say of which version it is");
    }
    if (completeLength !== recording.sizeBytes) {
      throw new ContractBrokenError("a stream whose size is not the recording's");
    }
    const promised = this.#opening?.end ?? Math.min(this.#wanted.end ?? completeLength, completeLength);
    if (start !== this.#position || end !== promised) {
      throw new ContractBrokenError("a stream of another range than the one asked for");
    }
  }

  #received({ data, offset }: ReceivedChunk, opening: Opening): Uint8Array {
    if (data.length > 0) {
      if (offset !== this.#position || data.length > opening.end - this.#position) {
        throw new ContractBrokenError("a chunk that is not the next one");
      }
      this.#position += data.length;
    }
    return data;
  }
}
