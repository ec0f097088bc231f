package recordings.client.conformance;

import java.util.Map;
import recordings.client.RecordingsClient;

/** What a request may ask for. */
interface Operation {
    /** Does it, and gives what the answer's result is made of. */
    Map<String, Object> run(RecordingsClient client, Arguments arguments) throws Exception;
}
