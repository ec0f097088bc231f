package example;

import recordings.client.RecordingsClient;
import recordings.client.errors.RecordingsException;
import recordings.v1.Recording;

/** Asks a service that isn't there: what it takes to find that out comes with the one dependency. */
public final class Main {
    private Main() {}

    /** Prints the name of the error. */
    public static void main(String[] arguments) {
        try (RecordingsClient recordings = RecordingsClient.builder("127.0.0.1:1").build()) {
            Recording recording = recordings.get("RE00000000000000000000000000000001");
            System.out.println(recording.getState());
        } catch (RecordingsException e) {
            System.out.println(e.getClass().getSimpleName());
        }
    }
}
