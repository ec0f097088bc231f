package recordings.client.conformance;

import com.google.gson.JsonElement;

/** Thrown when a read has failed: what came before it, and why. */
final class CutRead extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient JsonElement result;

    CutRead(JsonElement result, Exception cutBy) {
        super(cutBy);
        this.result = result;
    }

    JsonElement result() {
        return result;
    }

    Throwable cutBy() {
        return getCause();
    }
}
