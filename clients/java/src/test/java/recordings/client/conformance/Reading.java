package recordings.client.conformance;

import static java.util.Map.entry;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import recordings.client.OpenOptions;
import recordings.client.RecordingChannel;
import recordings.client.RecordingsClient;

/** The operations that read bytes. */
final class Reading {
    static final Map<String, Operation> BY_NAME = Map.ofEntries(
            entry("read", Reading::read),
            entry("read_ranges", Reading::readRanges),
            entry("read_ranges_at", Reading::readRangesAt),
            entry("seek_read", Reading::seekRead),
            entry("close_early", Reading::closeEarly),
            entry("use_closed_reader", Reading::useClosedReader),
            entry("measure", Reading::measure));

    /** Asked for at a time, where the request doesn't say. */
    private static final int READ_BYTES = 65_536;
    /** Readers at the same time in read_ranges_at. */
    private static final int READERS = 4;
    /** Nothing here takes longer, or it hangs. */
    private static final long MINUTES = 10;

    private Reading() {}

    private static Map<String, Object> read(RecordingsClient client, Arguments arguments) throws Exception {
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        ByteBuffer buffer = ByteBuffer.allocate((int) arguments.number("read_bytes", READ_BYTES));
        JsonArray pause = arguments.has("pause") ? arguments.array("pause") : null;
        long bytes = 0;
        try (RecordingChannel channel = client.open(options(arguments))) {
            while (channel.read(buffer) >= 0) {
                bytes += buffer.position();
                sha256.update(buffer.flip());
                buffer.clear();
                if (pause != null && bytes >= pause.get(0).getAsLong()) {
                    TimeUnit.NANOSECONDS.sleep(Runner.seconds(pause.get(1)).toNanos());
                    pause = null;
                }
            }
        } catch (IOException | RuntimeException e) {
            throw new CutRead(new Gson().toJsonTree(handedOut(bytes, sha256)), e);
        }
        return handedOut(bytes, sha256);
    }

    private static Map<String, Object> handedOut(long bytes, MessageDigest sha256) {
        return Map.of("bytes", bytes, "sha256", HexFormat.of().formatHex(sha256.digest()));
    }

    private static OpenOptions options(Arguments arguments) {
        OpenOptions options = OpenOptions.of(arguments.string("recording_sid")).etag(arguments.string("etag"));
        if (arguments.has("offset")) {
            options = options.offset(arguments.number("offset", 0));
        }
        if (arguments.has("length")) {
            options = options.length(arguments.number("length", 0));
        }
        if (arguments.flag("wait")) {
            options = arguments.has("wait_timeout")
                    ? options.waitUntilReady(arguments.duration("wait_timeout"))
                    : options.waitUntilReady();
        }
        return options;
    }

    private static Map<String, Object> readRanges(RecordingsClient client, Arguments arguments) throws Exception {
        List<String> sha256s = new ArrayList<>();
        try (RecordingChannel channel = client.open(arguments.string("recording_sid"))) {
            for (JsonElement range : arguments.array("ranges")) {
                sha256s.add(sha256Of(channel, range.getAsJsonArray()));
            }
        }
        return Map.of("sha256s", sha256s);
    }

    private static Map<String, Object> readRangesAt(RecordingsClient client, Arguments arguments) throws Exception {
        ExecutorService readers = Executors.newFixedThreadPool(READERS);
        try {
            List<Callable<String>> tasks = new ArrayList<>();
            for (JsonElement range : arguments.array("ranges")) {
                tasks.add(() -> {
                    try (RecordingChannel channel = client.open(arguments.string("recording_sid"))) {
                        return sha256Of(channel, range.getAsJsonArray());
                    }
                });
            }
            List<String> sha256s = new ArrayList<>();
            for (Future<String> each : readers.invokeAll(tasks, MINUTES, TimeUnit.MINUTES)) {
                sha256s.add(each.get());
            }
            return Map.of("sha256s", sha256s);
        } catch (java.util.concurrent.ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        } finally {
            readers.shutdownNow();
        }
    }

    private static String sha256Of(RecordingChannel channel, JsonArray range) throws Exception {
        long start = range.get(0).getAsLong();
        ByteBuffer bytes = readFully(channel, start, (int) (range.get(1).getAsLong() - start));
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        sha256.update(bytes.flip());
        return HexFormat.of().formatHex(sha256.digest());
    }

    private static ByteBuffer readFully(RecordingChannel channel, long place, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        channel.position(place);
        while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
            // Until there is no room, or nothing more.
        }
        return bytes;
    }

    private static Map<String, Object> seekRead(RecordingsClient client, Arguments arguments) throws IOException {
        List<Integer> counts = new ArrayList<>();
        try (RecordingChannel channel = client.open(arguments.string("recording_sid"))) {
            for (JsonElement each : arguments.array("seeks")) {
                JsonArray seek = each.getAsJsonArray();
                counts.add(readFully(channel, seek.get(0).getAsLong(), seek.get(1).getAsInt()).position());
            }
        }
        return Map.of("bytes", counts);
    }

    private static Map<String, Object> closeEarly(RecordingsClient client, Arguments arguments) throws IOException {
        RecordingChannel channel = client.open(arguments.string("recording_sid"));
        int bytes = readFully(channel, 0, (int) arguments.number("after_bytes", 1)).position();
        channel.close();
        channel.close();
        return Map.of("bytes", bytes);
    }

    private static Map<String, Object> useClosedReader(RecordingsClient client, Arguments arguments)
            throws IOException {
        RecordingChannel channel = client.open(arguments.string("recording_sid"));
        channel.close();
        return Map.of("bytes", channel.read(ByteBuffer.allocate(1)));
    }

    private static Map<String, Object> measure(RecordingsClient client, Arguments arguments) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES);
        long bytes = 0;
        long begin = System.nanoTime();
        try (RecordingChannel channel = client.open(arguments.string("recording_sid"))) {
            while (channel.read(buffer) >= 0) {
                bytes += buffer.position();
                buffer.clear();
            }
        }
        return Map.of("bytes", bytes, "seconds", (System.nanoTime() - begin) / 1e9);
    }
}
