package recordings.client.conformance;

import static java.util.Map.entry;

import com.google.gson.JsonElement;
import com.google.protobuf.Duration;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import recordings.client.RecordingWatch;
import recordings.client.RecordingsClient;
import recordings.v1.BatchEnqueueRecordingsResult;
import recordings.v1.CreatePlaybackUrlRequest;
import recordings.v1.CreatePlaybackUrlResponse;
import recordings.v1.DeleteRecordingRequest;
import recordings.v1.EnqueueReason;
import recordings.v1.EnqueueRecordingRequest;
import recordings.v1.GetRecordingRequest;
import recordings.v1.ListRecordingsRequest;
import recordings.v1.PlaybackDisposition;
import recordings.v1.Recording;
import recordings.v1.RecordingJob;
import recordings.v1.ReportRecordingUnavailableRequest;
import recordings.v1.UnavailableReason;
import recordings.v1.WatchRecordingRequest;

/** The operations that read no bytes. */
final class Operations {
    static final Map<String, Operation> BY_NAME = Map.ofEntries(
            entry("enqueue", Operations::enqueue),
            entry("batch_enqueue", Operations::batchEnqueue),
            entry("report_unavailable", Operations::reportUnavailable),
            entry("get", Operations::get),
            entry("list", Operations::list),
            entry("watch", Operations::watch),
            entry("wait_until_ready", Operations::waitUntilReady),
            entry("abandon_watch", Operations::abandonWatch),
            entry("use_closed_client", Operations::useClosedClient),
            entry("create_playback_url", Operations::createPlaybackUrl),
            entry("delete", Operations::delete));

    private Operations() {}

    private static Map<String, Object> enqueue(RecordingsClient client, Arguments arguments) {
        EnqueueRecordingRequest.Builder request = request(arguments, arguments.string("recording_sid"));
        arguments.ifPresent("job", job -> request.setJob(RecordingJob.valueOf("RECORDING_JOB_" + job.getAsString())));
        arguments.ifPresent("labels", labels -> labels.getAsJsonObject()
                .entrySet()
                .forEach(label -> request.putLabels(label.getKey(), label.getValue().getAsString())));
        return Map.of("reason", reason(client.enqueue(request.build()).getReason()));
    }

    private static Map<String, Object> batchEnqueue(RecordingsClient client, Arguments arguments) {
        List<EnqueueRecordingRequest> requests = new ArrayList<>();
        for (JsonElement sid : arguments.array("recording_sids")) {
            requests.add(request(arguments, sid.getAsString()).build());
        }
        List<Map<String, String>> results = new ArrayList<>();
        for (BatchEnqueueRecordingsResult each : client.batchEnqueue(requests)) {
            results.add(Map.of(
                    "reason", reason(each.getReason()),
                    "error_reason", each.getError().getReason(),
                    "field", each.getError().getField()));
        }
        return Map.of("results", results);
    }

    private static Map<String, Object> reportUnavailable(RecordingsClient client, Arguments arguments) {
        ReportRecordingUnavailableRequest request = ReportRecordingUnavailableRequest.newBuilder()
                .setRecordingSid(arguments.string("recording_sid"))
                .setAccountSid(arguments.string("account_sid"))
                .setReason(UnavailableReason.valueOf("UNAVAILABLE_REASON_" + arguments.string("reason")))
                .build();
        return Map.of("state", state(client.reportUnavailable(request)));
    }

    private static Map<String, Object> get(RecordingsClient client, Arguments arguments) {
        GetRecordingRequest request = GetRecordingRequest.newBuilder()
                .setRecordingSid(arguments.string("recording_sid"))
                .setAccountSid(arguments.string("account_sid"))
                .build();
        return stateAndSize(client.get(request));
    }

    private static Map<String, Object> list(RecordingsClient client, Arguments arguments) {
        ListRecordingsRequest request = ListRecordingsRequest.newBuilder()
                .addCallSids(arguments.string("call_sid"))
                .setPageSize((int) arguments.number("page_size", 0))
                .build();
        return Map.of(
                "recording_sids",
                client.list(request).stream().map(Recording::getRecordingSid).toList());
    }

    private static Map<String, Object> watch(RecordingsClient client, Arguments arguments) {
        WatchRecordingRequest request = watching(arguments);
        List<String> states = new ArrayList<>();
        try (RecordingWatch watch = arguments.has("timeout")
                ? client.watch(request, arguments.duration("timeout"))
                : client.watch(request)) {
            while (watch.hasNext()) {
                String state = state(watch.next());
                if (states.isEmpty() || !states.get(states.size() - 1).equals(state)) {
                    states.add(state);
                }
            }
        }
        return Map.of("states", states);
    }

    private static Map<String, Object> waitUntilReady(RecordingsClient client, Arguments arguments) {
        return stateAndSize(client.waitUntilReady(watching(arguments), arguments.duration("timeout")));
    }

    private static Map<String, Object> abandonWatch(RecordingsClient client, Arguments arguments) {
        try (RecordingWatch watch = client.watch(watching(arguments))) {
            return Map.of("state", state(watch.next()));
        }
    }

    private static Map<String, Object> useClosedClient(RecordingsClient client, Arguments arguments) {
        client.close();
        return stateAndSize(client.get(arguments.string("recording_sid")));
    }

    private static Map<String, Object> createPlaybackUrl(RecordingsClient client, Arguments arguments) {
        CreatePlaybackUrlRequest.Builder request =
                CreatePlaybackUrlRequest.newBuilder().setRecordingSid(arguments.string("recording_sid"));
        arguments.ifPresent("ttl", ttl -> request.setTtl(Duration.newBuilder().setSeconds(ttl.getAsLong())));
        if (arguments.flag("attachment")) {
            request.setDisposition(PlaybackDisposition.PLAYBACK_DISPOSITION_ATTACHMENT);
        }
        CreatePlaybackUrlResponse answer = client.createPlaybackUrl(request.build());
        double left = answer.getExpireTime().getSeconds() - System.currentTimeMillis() / 1000.0;
        return Map.of("path", URI.create(answer.getUrl()).getPath(), "seconds", Math.round(left / 10) * 10);
    }

    private static Map<String, Object> delete(RecordingsClient client, Arguments arguments) {
        DeleteRecordingRequest request = DeleteRecordingRequest.newBuilder()
                .setRecordingSid(arguments.string("recording_sid"))
                .setAllowMissing(arguments.flag("allow_missing"))
                .build();
        return Map.of("state", client.delete(request).map(Operations::state).orElse(""));
    }

    private static EnqueueRecordingRequest.Builder request(Arguments arguments, String recordingSid) {
        return EnqueueRecordingRequest.newBuilder()
                .setRecordingSid(recordingSid)
                .setAccountSid(arguments.string("account_sid"));
    }

    private static WatchRecordingRequest watching(Arguments arguments) {
        return WatchRecordingRequest.newBuilder()
                .setRecordingSid(arguments.string("recording_sid"))
                .build();
    }

    private static String reason(EnqueueReason reason) {
        return reason.name().replaceFirst("^ENQUEUE_REASON_", "");
    }

    private static String state(Recording recording) {
        return recording.getState().name().replaceFirst("^RECORDING_STATE_", "");
    }

    private static Map<String, Object> stateAndSize(Recording recording) {
        return Map.of("state", state(recording), "size_bytes", recording.getSizeBytes());
    }
}
