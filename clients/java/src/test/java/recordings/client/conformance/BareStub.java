package recordings.client.conformance;

import com.google.protobuf.ByteString;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import recordings.v1.RecordingServiceGrpc;
import recordings.v1.StreamRecordingRequest;
import recordings.v1.StreamRecordingResponse;

/** The yardstick: the generated stub on a channel as gRPC makes it, in a loop that counts bytes, or hashes them too. */
final class BareStub {
    private BareStub() {}

    static Map<String, Object> measure(Arguments options, Arguments arguments) throws InterruptedException, NoSuchAlgorithmException {
        ManagedChannel channel = Grpc.newChannelBuilder(options.string("target"), InsecureChannelCredentials.create())
                .build();
        try {
            Metadata headers = new Metadata();
            options.ifPresent("token", token -> headers.put(
                    Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
                    "Bearer " + token.getAsString()));
            StreamRecordingRequest request = StreamRecordingRequest.newBuilder()
                    .setRecordingSid(arguments.string("recording_sid"))
                    .build();
            MessageDigest whole = arguments.string("with", "stub").equals("checked_stub")
                    ? MessageDigest.getInstance("SHA-256")
                    : null;
            long bytes = 0;
            long begin = System.nanoTime();
            Iterator<StreamRecordingResponse> chunks = RecordingServiceGrpc.newBlockingStub(channel)
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                    .streamRecording(request);
            while (chunks.hasNext()) {
                ByteString data = chunks.next().getData();
                bytes += data.size();
                if (whole != null) {
                    whole.update(data.asReadOnlyByteBuffer());
                }
            }
            return Map.of("bytes", bytes, "seconds", (System.nanoTime() - begin) / 1e9);
        } finally {
            channel.shutdownNow();
            channel.awaitTermination(5, TimeUnit.SECONDS);
        }
    }
}
