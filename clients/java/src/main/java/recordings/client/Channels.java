package recordings.client;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import recordings.client.errors.InvalidOptionException;

/** Makes the channel that a client speaks over. */
final class Channels {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private Channels() {}

    /**
     * A channel to that target; nothing is sent yet.
     *
     * @throws InvalidOptionException the target is none, or a file has no certificate or key in it
     */
    static ManagedChannel open(ClientOptions options) {
        ManagedChannel channel;
        try {
            channel = builder(options).build();
        } catch (IOException | RuntimeException e) {
            // Which one it is of an option that can't be changes with gRPC's version.
            throw new InvalidOptionException(
                    "target, caFile, clientCertificateFile or clientKeyFile: " + e.getMessage(), e);
        }
        Defaults defaults = Defaults.VALUES;
        new Reconnecting(channel, defaults.initialReconnectBackoff(), defaults.maxReconnectBackoff()).begin();
        return channel;
    }

    private static ManagedChannelBuilder<?> builder(ClientOptions options) throws IOException {
        Defaults defaults = Defaults.VALUES;
        ManagedChannelBuilder<?> builder = Grpc.newChannelBuilder(options.target(), credentials(options))
                .defaultServiceConfig(defaults.serviceConfig())
                .disableServiceConfigLookUp()
                .enableRetry()
                .keepAliveTime(defaults.keepaliveTime().toNanos(), TimeUnit.NANOSECONDS)
                .keepAliveTimeout(defaults.keepaliveTimeout().toNanos(), TimeUnit.NANOSECONDS)
                .maxInboundMessageSize(defaults.maxReceiveMessageBytes());
        if (Targets.isUnixSocket(options.target())) {
            // By default the path of the socket, which is no valid authority.
            builder.overrideAuthority("localhost");
        }
        if (!options.token().isEmpty()) {
            Metadata headers = new Metadata();
            headers.put(AUTHORIZATION, "Bearer " + options.token());
            builder.intercept(MetadataUtils.newAttachHeadersInterceptor(headers));
        }
        return builder;
    }

    private static ChannelCredentials credentials(ClientOptions options) throws IOException {
        if (!options.usesTls()) {
            return InsecureChannelCredentials.create();
        }
        TlsChannelCredentials.Builder tls = TlsChannelCredentials.newBuilder();
        if (options.caFile() != null) {
            tls.trustManager(options.caFile().toFile());
        }
        if (options.clientKeyFile() != null) {
            tls.keyManager(options.clientCertificateFile().toFile(), options.clientKeyFile().toFile());
        }
        return tls.build();
    }
}
