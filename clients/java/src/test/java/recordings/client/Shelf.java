package recordings.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.stub.ServerCallStreamObserver;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;
import recordings.v1.ContentRange;
import recordings.v1.Recording;
import recordings.v1.RecordingState;
import recordings.v1.StreamRecordingRequest;
import recordings.v1.StreamRecordingResponse;

/** One recording of random bytes, and the messages that bring it. */
final class Shelf {
    static final String SID = "RE" + "0".repeat(31) + "1";
    static final int CHUNK = 65_536;

    final byte[] bytes;
    final Recording recording;

    Shelf(int size) {
        bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        recording = Recording.newBuilder()
                .setRecordingSid(SID)
                .setState(RecordingState.RECORDING_STATE_READY)
                .setSizeBytes(size)
                .setSha256(sha256(bytes))
                .setEtag("etag-1")
                .setRevision(7)
                .build();
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** One past the last byte that this request asks for. */
    long end(StreamRecordingRequest request) {
        long end = request.getLength() == 0 ? bytes.length : request.getOffset() + request.getLength();
        return Math.min(bytes.length, end);
    }

    /** The first message of an honest answer, without data. */
    StreamRecordingResponse.Builder first(StreamRecordingRequest request) {
        return StreamRecordingResponse.newBuilder()
                .setRecording(recording)
                .setOffset(request.getOffset())
                .setContentRange(ContentRange.newBuilder()
                        .setStart(request.getOffset())
                        .setEnd(end(request))
                        .setCompleteLength(bytes.length));
    }

    ByteString data(long start, long end) {
        return UnsafeByteOperations.unsafeWrap(bytes, (int) start, (int) (end - start));
    }

    StreamRecordingResponse.Builder chunk(long start, long end) {
        return StreamRecordingResponse.newBuilder().setOffset(start).setData(data(start, end));
    }

    /** An honest answer up to that place; it doesn't end the stream. */
    void send(StreamRecordingRequest request, ServerCallStreamObserver<StreamRecordingResponse> to, long until) {
        to.onNext(first(request).build());
        for (long place = request.getOffset(); place < Math.min(until, end(request)); place += CHUNK) {
            to.onNext(chunk(place, Math.min(place + CHUNK, Math.min(until, end(request)))).build());
        }
    }

    /** The whole honest answer. */
    void serve(int opening, StreamRecordingRequest request, ServerCallStreamObserver<StreamRecordingResponse> to) {
        send(request, to, Long.MAX_VALUE);
        to.onCompleted();
    }

    /** The same, no faster than it is taken. */
    void serveAsTaken(StreamRecordingRequest request, ServerCallStreamObserver<StreamRecordingResponse> to) {
        to.onNext(first(request).build());
        long[] place = {request.getOffset()};
        boolean[] ended = {false};
        to.setOnReadyHandler(() -> {
            while (to.isReady() && place[0] < end(request)) {
                long next = Math.min(place[0] + CHUNK, end(request));
                to.onNext(chunk(place[0], next).build());
                place[0] = next;
            }
            if (place[0] >= end(request) && !ended[0]) {
                ended[0] = true;
                to.onCompleted();
            }
        });
    }
}
