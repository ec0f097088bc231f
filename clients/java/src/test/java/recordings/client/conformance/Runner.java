package recordings.client.conformance;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import recordings.client.RecordingsClient;
import recordings.client.RecordingsClientBuilder;

/** The runner of the Java client: a JSON request a line in, an answer a line out (clients/conformance/README.md). */
public final class Runner {
    private static final Gson GSON = new Gson();

    private Runner() {}

    /** Answers until stdin ends. */
    public static void main(String[] arguments) throws IOException {
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            answers.println(GSON.toJson(answer(JsonParser.parseString(line).getAsJsonObject())));
        }
    }

    private static JsonObject answer(JsonObject request) {
        JsonObject answer = new JsonObject();
        answer.add("id", request.get("id"));
        Arguments arguments = new Arguments(object(request, "arguments"));
        try {
            answer.add("result", result(request, arguments));
        } catch (CutRead e) {
            answer.add("result", e.result());
            answer.add("error", ErrorAnswer.of(e.cutBy()));
        } catch (Exception e) {
            answer.add("error", ErrorAnswer.of(e));
        }
        return answer;
    }

    private static JsonElement result(JsonObject request, Arguments arguments) throws Exception {
        String operation = request.get("operation").getAsString();
        Arguments options = new Arguments(object(request, "options"));
        if (operation.equals("measure") && !arguments.string("with", "reader").equals("reader")) {
            return GSON.toJsonTree(BareStub.measure(options, arguments));
        }
        try (RecordingsClient client = client(options)) {
            return GSON.toJsonTree(operation(operation).run(client, arguments));
        }
    }

    private static Operation operation(String name) {
        Operation operation = Operations.BY_NAME.getOrDefault(name, Reading.BY_NAME.get(name));
        if (operation == null) {
            throw new UnsupportedOperationException("there is no operation " + name);
        }
        return operation;
    }

    private static RecordingsClient client(Arguments options) {
        RecordingsClientBuilder builder = RecordingsClient.builder(options.string("target", ""));
        options.ifPresent("token", value -> builder.token(value.getAsString()));
        options.ifPresent("tls", value -> builder.tls(value.getAsBoolean()));
        options.ifPresent("ca_file", value -> builder.caFile(Path.of(value.getAsString())));
        options.ifPresent(
                "client_certificate_file", value -> builder.clientCertificateFile(Path.of(value.getAsString())));
        options.ifPresent("client_key_file", value -> builder.clientKeyFile(Path.of(value.getAsString())));
        options.ifPresent("timeout", value -> builder.timeout(seconds(value)));
        options.ifPresent("stall_timeout", value -> builder.stallTimeout(seconds(value)));
        options.ifPresent("resume_attempts", value -> builder.resumeAttempts(value.getAsInt()));
        options.ifPresent("resume_initial_backoff", value -> builder.resumeInitialBackoff(seconds(value)));
        options.ifPresent("resume_max_backoff", value -> builder.resumeMaxBackoff(seconds(value)));
        return builder.build();
    }

    static Duration seconds(JsonElement value) {
        return Duration.ofNanos(Math.round(value.getAsDouble() * 1e9));
    }

    private static JsonObject object(JsonObject request, String name) {
        return request.has(name) ? request.getAsJsonObject(name) : new JsonObject();
    }
}
