package recordings.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.ExtensionRegistryLite;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;

/**
 * Parses messages whose bytes fields stay where gRPC's were copied to. The ordinary way makes one copy more of each,
 * which of a recording is all there is.
 */
final class ReceivedMessages<T extends Message> implements MethodDescriptor.Marshaller<T> {
    private final Parser<T> parser;

    private ReceivedMessages(Parser<T> parser) {
        this.parser = parser;
    }

    /** The same method, but for how its answers are parsed. */
    static <Q, T extends Message> MethodDescriptor<Q, T> of(MethodDescriptor<Q, T> method, Parser<T> parser) {
        return method.toBuilder(method.getRequestMarshaller(), new ReceivedMessages<>(parser))
                .build();
    }

    @Override
    public InputStream stream(T value) {
        return value.toByteString().newInput();
    }

    @Override
    public T parse(InputStream stream) {
        try {
            // Nobody else has the array, so nobody writes to it.
            ByteString all = UnsafeByteOperations.unsafeWrap(contentOf(stream));
            CodedInputStream input = all.newCodedInput();
            input.enableAliasing(true);
            T message = parser.parseFrom(input, ExtensionRegistryLite.getEmptyRegistry());
            input.checkLastTagWas(0);
            return message;
        } catch (IOException e) {
            // As gRPC's own marshaller has it.
            throw Status.INTERNAL.withDescription("Invalid protobuf byte sequence").withCause(e).asRuntimeException();
        }
    }

    private static byte[] contentOf(InputStream stream) throws IOException {
        if (!(stream instanceof KnownLength)) {
            return stream.readAllBytes();
        }
        byte[] content = new byte[stream.available()];
        stream.readNBytes(content, 0, content.length);
        return content;
    }
}
