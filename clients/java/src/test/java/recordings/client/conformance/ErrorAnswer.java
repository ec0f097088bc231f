package recordings.client.conformance;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import java.util.Map;
import recordings.client.errors.FieldViolation;
import recordings.client.errors.InvalidOptionException;
import recordings.client.errors.RecordingReadException;
import recordings.client.errors.RecordingsException;

/** What an exception is called in an answer. */
final class ErrorAnswer {
    private static final Gson GSON = new Gson();

    private ErrorAnswer() {}

    static JsonObject of(Throwable error) {
        if (error instanceof RecordingReadException read) {
            return of(read.getCause());
        }
        if (error instanceof UncheckedIOException unchecked) {
            return of(unchecked.getCause());
        }
        if (error instanceof RecordingsException failed) {
            return answer(
                    failed.getClass() == RecordingsException.class ? "RecordingsError" : kind(failed),
                    failed.code().map(Enum::name).orElse(""),
                    failed.reason(),
                    failed.metadata(),
                    failed.fieldViolations().stream().map(FieldViolation::field).toList());
        }
        if (error instanceof ClosedChannelException) {
            return own("ClientClosed");
        }
        if (error instanceof InvalidOptionException) {
            return own("InvalidOption");
        }
        if (error instanceof IllegalArgumentException) {
            return own("InvalidArgument");
        }
        error.printStackTrace();
        JsonObject unexpected = own("Unexpected");
        unexpected.addProperty("message", error.toString());
        return unexpected;
    }

    private static String kind(RecordingsException error) {
        String name = error.getClass().getSimpleName();
        return name.substring(0, name.length() - "Exception".length());
    }

    private static JsonObject own(String kind) {
        return answer(kind, "", "", Map.of(), List.of());
    }

    private static JsonObject answer(
            String kind, String code, String reason, Map<String, String> metadata, List<String> fields) {
        JsonObject error = new JsonObject();
        error.addProperty("kind", kind);
        error.addProperty("code", code);
        error.addProperty("reason", reason);
        error.add("metadata", GSON.toJsonTree(metadata));
        error.add("fields", GSON.toJsonTree(fields));
        return error;
    }
}
