package recordings.client.errors;

import io.grpc.Status;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What is known of a failure: the parts of every {@link RecordingsException}.
 *
 * @param message for people; not stable
 * @param code gRPC's status code; null for what the client itself has found out
 * @param reason the stable reason of the service's ErrorInfo; empty where there is none
 * @param metadata the ErrorInfo's further fields
 * @param fieldViolations which fields of the request are wrong
 * @param retryDelay how long to wait before asking again; null where the service didn't say
 */
public record Failure(
        String message,
        Status.Code code,
        String reason,
        Map<String, String> metadata,
        List<FieldViolation> fieldViolations,
        Duration retryDelay)
        implements Serializable {

    /** Takes copies of what could change. */
    public Failure {
        metadata = Map.copyOf(metadata);
        fieldViolations = List.copyOf(fieldViolations);
    }

    /** A failure that the client itself has found out: there is a message, and nothing else. */
    public static Failure of(String message) {
        return new Failure(message, null, "", Map.of(), List.of(), null);
    }

    /** A failure of that code, of which nothing else is known. */
    public static Failure of(String message, Status.Code code) {
        return new Failure(message, code, "", Map.of(), List.of(), null);
    }

    /** The same with that metadata. */
    public Failure withMetadata(Map<String, String> others) {
        return new Failure(message, code, reason, others, fieldViolations, retryDelay);
    }

    /** The same with that reason. */
    public Failure withReason(String other) {
        return new Failure(message, code, other, metadata, fieldViolations, retryDelay);
    }
}
