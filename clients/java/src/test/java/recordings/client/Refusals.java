package recordings.client;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;

/** Statuses as the service sends them. */
final class Refusals {
    private Refusals() {}

    static StatusRuntimeException of(Status.Code code, String reason, Map<String, String> metadata, Message... more) {
        ErrorInfo info = ErrorInfo.newBuilder()
                .setDomain("recording-service")
                .setReason(reason)
                .putAllMetadata(metadata)
                .build();
        com.google.rpc.Status.Builder status = com.google.rpc.Status.newBuilder()
                .setCode(code.value())
                .setMessage("refused: " + reason)
                .addDetails(Any.pack(info));
        for (Message detail : more) {
            status.addDetails(Any.pack(detail));
        }
        return StatusProto.toStatusRuntimeException(status.build());
    }

    static RetryInfo retryAfterMillis(int millis) {
        return RetryInfo.newBuilder()
                .setRetryDelay(Duration.newBuilder().setNanos(millis * 1_000_000))
                .build();
    }

    static BadRequest violation(String field) {
        return BadRequest.newBuilder()
                .addFieldViolations(BadRequest.FieldViolation.newBuilder()
                        .setField(field)
                        .setDescription("is none"))
                .build();
    }
}
