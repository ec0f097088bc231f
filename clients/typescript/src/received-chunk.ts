/**
 * The chunks of StreamRecording, read without the copy of their bytes that the generated code makes: `data` is a view
 * into the message that came.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ContractBrokenError } from "./errors.js";
import { Recording } from "./generated/recordings/v1/recording.js";
import { ContentRange } from "./generated/recordings/v1/stream.js";

/** The fields of a StreamRecordingResponse. */
export interface ReceivedChunk {
  readonly data: Uint8Array;
  readonly offset: number;
  readonly recording: Recording | undefined;
  readonly contentRange: ContentRange | undefined;
}

const NOTHING = new Uint8Array();

/** The chunk in this message. Throws ContractBrokenError if it is none. */
export function receivedChunk(message: Buffer): ReceivedChunk {
  try {
    return parsed(message);
  } catch (error) {
    throw new ContractBrokenError("a message that is none", { cause: error });
  }
}

function parsed(message: Buffer): ReceivedChunk {
  // Plain bytes, not a Buffer: what is handed out is no more than it says.
  const reader = new BinaryReader(new Uint8Array(message.buffer, message.byteOffset, message.length));
  let data: Uint8Array = NOTHING;
  let offset = 0;
  let recording: Recording | undefined;
  let contentRange: ContentRange | undefined;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1 && type === WireType.LengthDelimited) {
      data = reader.bytes();
    } else if (field === 2 && type === WireType.Varint) {
      offset = Number(reader.int64());
    } else if (field === 3 && type === WireType.LengthDelimited) {
      recording = Recording.decode(reader, reader.uint32());
    } else if (field === 4 && type === WireType.LengthDelimited) {
      contentRange = ContentRange.decode(reader, reader.uint32());
    } else {
      reader.skip(type, field);
    }
  }
  return { data, offset, recording, contentRange };
}
