package recordings.client;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import recordings.client.errors.InvalidOptionException;

/**
 * Makes a {@link RecordingsClient}. What isn't given is as in clients/defaults.json. The client is made by {@link
 * #build}, which refuses options that can't be.
 */
public final class RecordingsClientBuilder {
    private final String target;
    private String token = "";
    private Boolean tls;
    private Path caFile;
    private Path clientCertificateFile;
    private Path clientKeyFile;
    private Duration timeout = Defaults.VALUES.timeout();
    private Duration stallTimeout = Defaults.VALUES.stallTimeout();
    private int resumeAttempts = Defaults.VALUES.resumeAttempts();
    private Duration resumeInitialBackoff = Defaults.VALUES.resumeInitialBackoff();
    private Duration resumeMaxBackoff = Defaults.VALUES.resumeMaxBackoff();

    RecordingsClientBuilder(String target) {
        this.target = Objects.requireNonNull(target, "target");
    }

    /** Bearer token. Sent in the clear to loopback and Unix sockets only. */
    public RecordingsClientBuilder token(String value) {
        token = Objects.requireNonNull(value, "token");
        return this;
    }

    /** Whether to use TLS. Without: yes, except to loopback and Unix sockets. */
    public RecordingsClientBuilder tls(boolean value) {
        tls = value;
        return this;
    }

    /** PEM file of the authorities to trust. Without: the system's. */
    public RecordingsClientBuilder caFile(Path value) {
        caFile = value;
        return this;
    }

    /** PEM file of the client's own certificate (mTLS). */
    public RecordingsClientBuilder clientCertificateFile(Path value) {
        clientCertificateFile = value;
        return this;
    }

    /** PEM file of its key (PKCS #8). */
    public RecordingsClientBuilder clientKeyFile(Path value) {
        clientKeyFile = value;
        return this;
    }

    /** How long a call may take that has one answer. */
    public RecordingsClientBuilder timeout(Duration value) {
        timeout = Objects.requireNonNull(value, "timeout");
        return this;
    }

    /** A stream that brings nothing for so long, while somebody reads, is opened again. */
    public RecordingsClientBuilder stallTimeout(Duration value) {
        stallTimeout = Objects.requireNonNull(value, "stallTimeout");
        return this;
    }

    /** How often a broken stream is opened again without a message before its error is thrown. */
    public RecordingsClientBuilder resumeAttempts(int value) {
        resumeAttempts = value;
        return this;
    }

    /** The longest wait before the first such attempt; it doubles with each further one (full jitter). */
    public RecordingsClientBuilder resumeInitialBackoff(Duration value) {
        resumeInitialBackoff = Objects.requireNonNull(value, "resumeInitialBackoff");
        return this;
    }

    /** The longest wait before any. */
    public RecordingsClientBuilder resumeMaxBackoff(Duration value) {
        resumeMaxBackoff = Objects.requireNonNull(value, "resumeMaxBackoff");
        return this;
    }

    /**
     * The client. It connects with the first call.
     *
     * @throws InvalidOptionException an option can't be: the message names it
     */
    public RecordingsClient build() {
        return new RecordingsClient(new Connection(new ClientOptions(
                target,
                token,
                tls,
                caFile,
                clientCertificateFile,
                clientKeyFile,
                timeout,
                stallTimeout,
                resumeAttempts,
                resumeInitialBackoff,
                resumeMaxBackoff)));
    }
}
