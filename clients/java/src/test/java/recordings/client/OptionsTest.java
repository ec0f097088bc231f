package recordings.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import recordings.client.errors.InvalidOptionException;

class OptionsTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1", "dns:///localhost:1", "dns:127.0.0.1:1",
                "unix:/run/it", "unix:///run/it"
            })
    void whatStaysOnThisMachineNeedsNoTls(String target) {
        assertTrue(Targets.isLocal(target));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "example.org:1", "10.0.0.1:1", "[2001:db8::1]:1", "dns:///example.org:1", "localhost.example.org:1",
                "127.0.0.1.example.org:1", "127.0.0.1:1@example.org:1", "dns:///localhost@example.org:1", "", "::::"
            })
    void everythingElseDoes(String target) {
        assertFalse(Targets.isLocal(target));
    }

    @Test
    void aTokenDoesNotGoOverANetworkInTheClear() {
        refused("tls", "example.org:1", builder -> builder.token("secret").tls(false));
        RecordingsClient.builder("example.org:1").token("secret").build().close();
        RecordingsClient.builder("example.org:1").tls(false).build().close();
        RecordingsClient.builder("127.0.0.1:1").token("secret").tls(false).build().close();
    }

    @Test
    void anOptionThatCanNotBeIsRefused() throws Exception {
        Path pem = Files.writeString(folder.resolve("some.pem"), "no certificate");
        String target = "127.0.0.1:1";
        refused("target", " ", builder -> builder);
        refused("timeout", target, builder -> builder.timeout(Duration.ZERO));
        refused("stallTimeout", target, builder -> builder.stallTimeout(Duration.ofSeconds(-1)));
        refused("resumeAttempts", target, builder -> builder.resumeAttempts(-1));
        refused("resumeInitialBackoff", target, builder -> builder.resumeInitialBackoff(Duration.ofMillis(-1)));
        refused("resumeMaxBackoff", target, builder -> builder.resumeMaxBackoff(Duration.ofDays(1_000_000)));
        refused("token", target, builder -> builder.token("secret\n"));
        refused("caFile", target, builder -> builder.caFile(folder.resolve("missing.pem")));
        refused("caFile", target, builder -> builder.caFile(pem));
        refused("clientKeyFile", target, builder -> builder.clientKeyFile(pem));
        refused("caFile", target, builder -> builder.tls(false).caFile(pem));
    }

    @Test
    void theDefaultsAreThoseOfEveryClient() {
        assertEquals(Duration.ofSeconds(5), Defaults.VALUES.timeout());
        assertEquals(Duration.ofMillis(100), Defaults.VALUES.resumeInitialBackoff());
        assertTrue(Defaults.VALUES.serviceConfig().containsKey("methodConfig"));
    }

    @Test
    void theTokenIsInNoText() {
        ClientOptions options = new ClientOptions(
                "127.0.0.1:1", "secret", null, null, null, null,
                Duration.ofSeconds(1), Duration.ofSeconds(1), 1, Duration.ZERO, Duration.ZERO);
        assertFalse(options.toString().contains("secret"));
    }

    private static void refused(String option, String target, UnaryOperator<RecordingsClientBuilder> with) {
        InvalidOptionException error = assertThrows(
                InvalidOptionException.class,
                () -> with.apply(RecordingsClient.builder(target)).build());
        assertTrue(error.getMessage().contains(option), error.getMessage());
        assertFalse(error.getMessage().contains("secret"));
    }
}
