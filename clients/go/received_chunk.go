package recordings

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// receivedChunk is one message of StreamRecording, taken apart without a copy of its data: protobuf would make one, into
// memory of its own, and with that the SHA-256 would make reading slower than a bare stub is.
//
// All chunks of a stream but the first are the data and its offset, and nothing else; of these the data is a view into
// what gRPC received. Whatever looks otherwise is protobuf's business, so what is read here is what protobuf reads, for
// any bytes.
type receivedChunk struct {
	data         []byte
	offset       int64
	recording    *recordingsv1.Recording
	contentRange *recordingsv1.ContentRange
	// failed: it is no message of the contract's.
	failed error
	// buffer is what the data is a view into; nil if it has memory of its own.
	buffer mem.Buffer
}

// free gives the memory of the data back to gRPC: it must not be looked at any more. Idempotent.
func (c *receivedChunk) free() {
	if c != nil && c.buffer != nil {
		c.buffer.Free()
		c.buffer, c.data = nil, nil
	}
}

// The fields of StreamRecordingResponse that every chunk has.
const (
	dataField   = 1
	offsetField = 2
)

// readBare reads a chunk that is data and perhaps its offset, each once and in this order; false if it is another.
func (c *receivedChunk) readBare(message []byte) bool {
	field, kind, read := protowire.ConsumeTag(message)
	if read < 0 || field != dataField || kind != protowire.BytesType {
		return false
	}
	message = message[read:]
	data, read := protowire.ConsumeBytes(message)
	if read < 0 {
		return false
	}
	message = message[read:]
	var offset uint64
	if len(message) > 0 {
		field, kind, read = protowire.ConsumeTag(message)
		if read < 0 || field != offsetField || kind != protowire.VarintType {
			return false
		}
		message = message[read:]
		if offset, read = protowire.ConsumeVarint(message); read != len(message) {
			return false
		}
	}
	c.data, c.offset = data, int64(offset)
	return true
}

// read reads any chunk. The data may be a view into the message: the answer says so.
func (c *receivedChunk) read(message []byte) bool {
	if c.readBare(message) {
		return true
	}
	var parsed recordingsv1.StreamRecordingResponse
	if err := proto.Unmarshal(message, &parsed); err != nil {
		c.failed = contractBroken("a message that is none")
		return false
	}
	c.data, c.offset = parsed.GetData(), parsed.GetOffset()
	c.recording, c.contentRange = parsed.GetRecording(), parsed.GetContentRange()
	return false
}

// chunkCodec is gRPC's own for protobuf, except for chunks.
type chunkCodec struct{ encoding.CodecV2 }

// Unmarshal takes a message apart.
func (c chunkCodec) Unmarshal(message mem.BufferSlice, into any) error {
	chunk, ok := into.(*receivedChunk)
	if !ok {
		return c.CodecV2.Unmarshal(message, into)
	}
	buffer := message.MaterializeToBuffer(mem.DefaultBufferPool())
	if chunk.read(buffer.ReadOnlyData()) {
		chunk.buffer = buffer
	} else {
		buffer.Free()
	}
	return nil
}

// streamChunks is the generated StreamRecording, but for what its messages are made into.
func (c *Client) streamChunks(
	ctx context.Context, request *recordingsv1.StreamRecordingRequest, options ...grpc.CallOption,
) (grpc.ServerStreamingClient[receivedChunk], error) {
	codec := chunkCodec{encoding.GetCodecV2(protocodec.Name)}
	stream, err := c.connection.NewStream(
		ctx, &grpc.StreamDesc{StreamName: "StreamRecording", ServerStreams: true},
		recordingsv1.RecordingService_StreamRecording_FullMethodName,
		append(options, grpc.StaticMethod(), grpc.ForceCodecV2(codec))...,
	)
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(request); err != nil {
		return nil, err
	}
	if err := stream.CloseSend(); err != nil {
		return nil, err
	}
	return &grpc.GenericClientStream[recordingsv1.StreamRecordingRequest, receivedChunk]{ClientStream: stream}, nil
}
