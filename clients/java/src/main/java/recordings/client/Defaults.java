package recordings.client;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.reflect.TypeToken;
import com.google.gson.Gson;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;

/**
 * What the clients of all languages share: clients/defaults.json, which {@code make proto} copies into the resources.
 *
 * @param serviceConfig gRPC's, as maps and lists of JSON
 */
record Defaults(
        Map<String, Object> serviceConfig,
        Duration timeout,
        Duration watchTimeout,
        Duration keepaliveTime,
        Duration keepaliveTimeout,
        int maxReceiveMessageBytes,
        Duration initialReconnectBackoff,
        Duration maxReconnectBackoff,
        Duration stallTimeout,
        int resumeAttempts,
        Duration resumeInitialBackoff,
        Duration resumeMaxBackoff,
        int seekAheadBytes) {

    /** Those in the file. */
    static final Defaults VALUES = read();

    private static Defaults read() {
        try (InputStream file = Defaults.class.getResourceAsStream("defaults.json")) {
            if (file == null) {
                throw new IllegalStateException("defaults.json is missing beside " + Defaults.class.getName());
            }
            return of(JsonParser.parseReader(new InputStreamReader(file, StandardCharsets.UTF_8)).getAsJsonObject());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Defaults of(JsonObject json) {
        return new Defaults(
                new Gson().fromJson(json.get("serviceConfig"), new TypeToken<Map<String, Object>>() {}),
                seconds(json, "timeoutSeconds"),
                seconds(json, "watchTimeoutSeconds"),
                seconds(json, "keepaliveTimeSeconds"),
                seconds(json, "keepaliveTimeoutSeconds"),
                json.get("maxReceiveMessageBytes").getAsInt(),
                seconds(json, "initialReconnectBackoffSeconds"),
                seconds(json, "maxReconnectBackoffSeconds"),
                seconds(json, "stallTimeoutSeconds"),
                json.get("resumeAttempts").getAsInt(),
                seconds(json, "resumeInitialBackoffSeconds"),
                seconds(json, "resumeMaxBackoffSeconds"),
                json.get("seekAheadBytes").getAsInt());
    }

    private static Duration seconds(JsonObject json, String name) {
        return Duration.ofNanos(Math.round(json.get(name).getAsDouble() * 1e9));
    }
}
