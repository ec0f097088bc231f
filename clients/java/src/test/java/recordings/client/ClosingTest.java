package recordings.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import recordings.client.errors.ClientClosedException;
import recordings.client.errors.RecordingsException;
import recordings.v1.ListRecordingsRequest;
import recordings.v1.WatchRecordingResponse;

/** Rules i and j of clients/README.md: closing, from wherever, ends everything at once; little is in memory. */
class ClosingTest extends ClientTest {
    private final Shelf shelf = new Shelf(100_000);

    /** Sends a little, and then nothing. */
    private void hang() {
        service.stream = (opening, request, to) -> shelf.send(request, to, 1_000);
    }

    @Test
    void closingCancelsTheStreamAtOnceAndTwiceIsNothing() throws Exception {
        hang();
        RecordingChannel channel = client.open(Shelf.SID);
        read(channel, 10);
        channel.close();
        channel.close();
        assertFalse(channel.isOpen());
        Eventually.holds("the stream has ended", () -> service.open.get() == 0);
        assertThrows(ClosedChannelException.class, () -> channel.read(ByteBuffer.allocate(1)));
        assertThrows(ClosedChannelException.class, channel::position);
        assertThrows(ClosedChannelException.class, channel::size);
    }

    @Test
    void closingInAnotherThreadEndsAReadThatWaits() throws Exception {
        hang();
        RecordingChannel channel = client.open(Shelf.SID);
        CompletableFuture<Throwable> outcome = readInAnotherThread(channel, new AtomicReference<>());
        channel.close();
        assertInstanceOf(AsynchronousCloseException.class, outcome.get(10, TimeUnit.SECONDS));
    }

    @Test
    void anInterruptClosesTheChannelAndEndsTheRead() throws Exception {
        hang();
        RecordingChannel channel = client.open(Shelf.SID);
        AtomicReference<Thread> reader = new AtomicReference<>();
        CompletableFuture<Throwable> outcome = readInAnotherThread(channel, reader);
        reader.get().interrupt();
        assertInstanceOf(ClosedByInterruptException.class, outcome.get(10, TimeUnit.SECONDS));
        assertFalse(channel.isOpen());
        reader.get().join(10_000);
    }

    @Test
    void aThreadThatIsInterruptedAlreadyReadsNothing() throws Exception {
        hang();
        RecordingChannel channel = client.open(Shelf.SID);
        Thread.currentThread().interrupt();
        assertThrows(ClosedByInterruptException.class, () -> channel.read(ByteBuffer.allocate(1)));
        assertTrue(Thread.interrupted());
    }

    @Test
    void closingEndsTheWaitBetweenTwoAttempts() throws Exception {
        use(builder().resumeInitialBackoff(Duration.ofDays(1)).resumeMaxBackoff(Duration.ofDays(1)));
        service.stream = (opening, request, to) -> {
            throw Status.UNAVAILABLE.asRuntimeException();
        };
        RecordingChannel channel = client.open(Shelf.SID);
        CompletableFuture<Throwable> outcome = CompletableFuture.supplyAsync(
                () -> assertThrows(Exception.class, () -> channel.read(ByteBuffer.allocate(1))));
        Eventually.holds("it was refused", () -> service.openings.size() == 1 && service.open.get() == 0);
        channel.close();
        assertInstanceOf(AsynchronousCloseException.class, outcome.get(10, TimeUnit.SECONDS));
    }

    @Test
    void aClientClosesWhatItHasOpened() throws Exception {
        hang();
        service.watch = (opening, request, to) ->
                to.onNext(WatchRecordingResponse.newBuilder().setRecording(shelf.recording).build());
        RecordingChannel channel = client.open(Shelf.SID);
        read(channel, 10);
        RecordingWatch watch = client.watch(Shelf.SID);
        watch.next();
        CompletableFuture<Throwable> outcome = CompletableFuture.supplyAsync(
                () -> assertThrows(RecordingsException.class, watch::hasNext));
        client.close();
        client.close();
        assertInstanceOf(ClientClosedException.class, outcome.get(10, TimeUnit.SECONDS));
        assertThrows(ClosedChannelException.class, () -> channel.read(ByteBuffer.allocate(1)));
        assertThrows(ClientClosedException.class, () -> client.open(Shelf.SID));
        assertThrows(ClientClosedException.class, () -> client.watch(Shelf.SID));
        assertThrows(ClientClosedException.class, () -> client.get(Shelf.SID));
        assertThrows(ClientClosedException.class, () -> client.list(ListRecordingsRequest.getDefaultInstance()));
    }

    @Test
    void aCallThatWaitsEndsWithTheClient() throws Exception {
        service.get = request -> null;
        CompletableFuture<Throwable> outcome = CompletableFuture.supplyAsync(
                () -> assertThrows(RecordingsException.class, () -> client.get(Shelf.SID)));
        Eventually.holds("it was called", () -> service.calls.size() == 1);
        client.close();
        assertInstanceOf(ClientClosedException.class, outcome.get(10, TimeUnit.SECONDS));
    }

    @Test
    void noThreadOutlivesTheClient() throws Exception {
        service.stream = shelf::serve;
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            assertEquals(shelf.bytes.length, readAll(channel).length);
        }
        client.close();
        service.close();
        // gRPC keeps what clients share for a second after the last one.
        Eventually.holds("gRPC's threads have ended", () -> threads().isEmpty());
    }

    private static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("grpc-"))
                .toList();
    }

    @Test
    void littleIsInMemoryHoweverLargeTheRecordingIs() throws Exception {
        Shelf large = new Shelf(64 << 20);
        long[] sent = {0};
        service.stream = (opening, request, to) -> {
            to.onNext(large.first(request).build());
            to.setOnReadyHandler(() -> {
                while (to.isReady() && sent[0] < large.bytes.length) {
                    to.onNext(large.chunk(sent[0], sent[0] + Shelf.CHUNK).build());
                    sent[0] += Shelf.CHUNK;
                }
            });
        };
        try (RecordingChannel channel = client.open(Shelf.SID)) {
            read(channel, 10);
            long before = -1;
            // What flow control lets through has come once nothing more does.
            while (before != sent[0]) {
                before = sent[0];
                Thread.sleep(300);
            }
            assertTrue(sent[0] < 8 << 20, "so many bytes were taken of a reader that reads 10: " + sent[0]);
        }
    }

    private CompletableFuture<Throwable> readInAnotherThread(RecordingChannel channel, AtomicReference<Thread> reader)
            throws Exception {
        CompletableFuture<Throwable> outcome = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> outcome.complete(assertThrows(Exception.class, () -> readAll(channel))), "reader");
        thread.start();
        reader.set(thread);
        Eventually.holds(
                "it waits for the second message",
                () -> service.openings.size() == 1 && thread.getState() == Thread.State.TIMED_WAITING);
        return outcome;
    }
}
