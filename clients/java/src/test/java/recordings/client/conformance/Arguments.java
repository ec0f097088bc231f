package recordings.client.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.function.Consumer;

/** The arguments or options of a request; null stands for one that is missing. */
record Arguments(JsonObject values) {

    boolean has(String name) {
        return values.has(name) && !values.get(name).isJsonNull();
    }

    void ifPresent(String name, Consumer<JsonElement> use) {
        if (has(name)) {
            use.accept(values.get(name));
        }
    }

    String string(String name) {
        return string(name, "");
    }

    String string(String name, String otherwise) {
        return has(name) ? values.get(name).getAsString() : otherwise;
    }

    long number(String name, long otherwise) {
        return has(name) ? values.get(name).getAsLong() : otherwise;
    }

    boolean flag(String name) {
        return has(name) && values.get(name).getAsBoolean();
    }

    /** A time in seconds; null if it is missing. */
    Duration duration(String name) {
        return has(name) ? Runner.seconds(values.get(name)) : null;
    }

    JsonArray array(String name) {
        return values.getAsJsonArray(name);
    }
}
