package recordings.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import recordings.v1.EnqueueReason;
import recordings.v1.EnqueueRecordingResponse;
import recordings.v1.ListRecordingsResponse;
import recordings.v1.WatchRecordingResponse;

/** Runs the examples of README.md, word for word. */
class ReadmeTest extends ClientTest {
    private static final String AROUND =
            """
            import java.nio.ByteBuffer;
            import java.time.Duration;
            import recordings.client.*;
            import recordings.client.errors.*;
            import recordings.v1.*;

            public class Example {
                public static void main(String[] arguments) throws Exception {
                    String recordingSid = arguments[1], callSid = "CA1";
                    try (var recordings = RecordingsClient.builder(arguments[0]).build()) {
            %s
                    }
                }
            }
            """;

    @TempDir
    private Path folder;

    private final Shelf shelf = new Shelf(100_000);

    @BeforeEach
    void behave() {
        service.stream = shelf::serve;
        service.enqueue = request -> EnqueueRecordingResponse.newBuilder()
                .setReason(EnqueueReason.ENQUEUE_REASON_ENQUEUED)
                .build();
        service.watch = (opening, request, to) -> {
            to.onNext(WatchRecordingResponse.newBuilder().setRecording(shelf.recording).build());
            to.onCompleted();
        };
        service.list = request ->
                ListRecordingsResponse.newBuilder().addRecordings(shelf.recording).build();
    }

    @Test
    void theProgramFetchesARecording() throws Exception {
        Path file = folder.resolve("call.mp3");
        assertEquals("ENQUEUE_REASON_ENQUEUED\n", output("Fetch", examples().get(0), file.toString()));
        assertArrayEquals(shelf.bytes, Files.readAllBytes(file));
        assertTrue(service.authorizations.stream().allMatch("Bearer a-token"::equals));
    }

    @Test
    void theOtherCallsWatchReadTheEndAndList() throws Exception {
        String expected = "RECORDING_STATE_READY\n" + Shelf.SID + "\n";
        assertEquals(expected, output("Example", AROUND.formatted(examples().get(1))));
    }

    @Test
    void theErrorSaysInWhichStateTheRecordingIs() throws Exception {
        service.stream = (opening, request, to) -> {
            throw Refusals.of(Status.Code.FAILED_PRECONDITION, "RECORDING_NOT_READY", Map.of("state", "QUEUED"));
        };
        assertEquals("not yet: QUEUED\n", output("Example", AROUND.formatted(examples().get(2))));
    }

    @Test
    void thereIsNoOtherExample() throws Exception {
        assertEquals(3, examples().size());
    }

    private static List<String> examples() throws Exception {
        return Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("README.md")))
                .results()
                .map((MatchResult example) -> example.group(1))
                .toList();
    }

    /** What the program prints, given the target, the SID and the further arguments. */
    private String output(String name, String source, String... further) throws Exception {
        Path file = Files.writeString(folder.resolve(name + ".java"), source);
        String classpath = System.getProperty("java.class.path");
        ByteArrayOutputStream complaints = new ByteArrayOutputStream();
        int status = ToolProvider.getSystemJavaCompiler()
                .run(null, null, complaints, "-cp", classpath, "-d", folder.toString(), file.toString());
        assertEquals(0, status, complaints.toString(StandardCharsets.UTF_8));
        String[] arguments = new String[2 + further.length];
        arguments[0] = service.target();
        arguments[1] = Shelf.SID;
        System.arraycopy(further, 0, arguments, 2, further.length);
        PrintStream before = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            loader.loadClass(name).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException e) {
            throw new AssertionError("the example fails", e.getCause());
        } finally {
            System.setOut(before);
        }
        return printed.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }
}
