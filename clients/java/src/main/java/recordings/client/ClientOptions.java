package recordings.client;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import recordings.client.errors.InvalidOptionException;

/** How a client reaches the service and how patient it is; {@link RecordingsClientBuilder} says what each means. */
record ClientOptions(
        String target,
        String token,
        Boolean tls,
        Path caFile,
        Path clientCertificateFile,
        Path clientKeyFile,
        Duration timeout,
        Duration stallTimeout,
        int resumeAttempts,
        Duration resumeInitialBackoff,
        Duration resumeMaxBackoff) {

    /** Refuses what can't be. */
    ClientOptions {
        if (target.isBlank()) {
            throw refused("target: is empty; name one, such as 127.0.0.1:50051");
        }
        above("timeout", timeout);
        above("stallTimeout", stallTimeout);
        notBelow("resumeInitialBackoff", resumeInitialBackoff);
        notBelow("resumeMaxBackoff", resumeMaxBackoff);
        if (resumeAttempts < 0) {
            throw refused("resumeAttempts: must not be below 0");
        }
        if (!token.chars().allMatch(character -> character > ' ' && character < 0x7f)) {
            throw refused("token: must be printable ASCII without blanks; is there a line break at its end?");
        }
        if ((clientCertificateFile == null) != (clientKeyFile == null)) {
            throw refused("clientCertificateFile and clientKeyFile: give both, or none");
        }
        boolean wantsFiles = caFile != null || clientKeyFile != null;
        if (Boolean.FALSE.equals(tls) && wantsFiles) {
            throw refused("tls: is off, but caFile or clientCertificateFile is given");
        }
        readable("caFile", caFile);
        readable("clientCertificateFile", clientCertificateFile);
        readable("clientKeyFile", clientKeyFile);
        if (!token.isEmpty() && Boolean.FALSE.equals(tls) && !Targets.isLocal(target)) {
            throw refused("tls: is off, and the token would go over the network in the clear");
        }
    }

    /** Whether the connection is encrypted: as asked for, or unless nothing leaves this machine. */
    boolean usesTls() {
        return tls != null ? tls : caFile != null || clientKeyFile != null || !Targets.isLocal(target);
    }

    /** Without the token, which belongs in no log. */
    @Override
    public String toString() {
        return "ClientOptions[target=" + target + ", tls=" + usesTls() + "]";
    }

    private static void above(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw refused(name + ": must be above 0");
        }
        bounded(name, value);
    }

    private static void notBelow(String name, Duration value) {
        if (value.isNegative()) {
            throw refused(name + ": must not be below 0");
        }
        bounded(name, value);
    }

    /** Waits are counted in nanoseconds, of which a long has 292 years. */
    private static void bounded(String name, Duration value) {
        if (value.compareTo(Duration.ofDays(36_500)) > 0) {
            throw refused(name + ": must not be longer than a century");
        }
    }

    private static void readable(String name, Path file) {
        if (file != null && !(Files.isRegularFile(file) && Files.isReadable(file))) {
            throw refused(name + ": " + file + " can't be read");
        }
    }

    private static InvalidOptionException refused(String message) {
        return new InvalidOptionException(message, null);
    }
}
