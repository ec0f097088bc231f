package recordings.client;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import recordings.client.errors.RecordingReadException;
import recordings.client.errors.RecordingsException;

/** A service and a client for each test; after it no stream is open. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
abstract class ClientTest {
    protected FakeService service;
    protected RecordingsClient client;

    @BeforeEach
    void begin() {
        service = new FakeService();
        client = builder().build();
    }

    @AfterEach
    void noStreamStaysOpen() throws Exception {
        try {
            Eventually.holds("no stream is open", () -> service.open.get() == 0);
        } finally {
            client.close();
            service.close();
        }
    }

    /** Of a client that doesn't wait for long. */
    protected RecordingsClientBuilder builder() {
        return RecordingsClient.builder(service.target())
                .resumeAttempts(3)
                .resumeInitialBackoff(Duration.ofMillis(1))
                .resumeMaxBackoff(Duration.ofMillis(5));
    }

    /** Another client in place of the first one. */
    protected void use(RecordingsClientBuilder builder) {
        client.close();
        client = builder.build();
    }

    /** The rest. */
    protected static byte[] readAll(RecordingChannel channel) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        channel.inputStream().transferTo(all);
        return all.toByteArray();
    }

    /** So many bytes, fewer only at the end. */
    protected static byte[] read(RecordingChannel channel, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
            // Until there is no room, or nothing more.
        }
        byte[] found = new byte[bytes.position()];
        bytes.flip().get(found);
        return found;
    }

    /** What reading fails with. */
    protected static <T extends RecordingsException> T failure(Class<T> type, RecordingChannel channel) {
        RecordingReadException error = assertThrows(RecordingReadException.class, () -> readAll(channel));
        return assertInstanceOf(type, error.getCause());
    }
}
