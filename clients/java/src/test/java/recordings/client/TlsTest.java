package recordings.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grpc.TlsServerCredentials;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import recordings.client.errors.UnavailableException;
import recordings.v1.GetRecordingResponse;
import recordings.v1.Recording;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class TlsTest {
    private static final Recording RECORDING =
            Recording.newBuilder().setRecordingSid(Shelf.SID).build();

    @TempDir
    private static Path folder;

    private static TestCertificate servers;
    private static TestCertificate clients;

    @BeforeAll
    static void make() throws Exception {
        servers = TestCertificate.make(folder, "server");
        clients = TestCertificate.make(folder, "client");
    }

    @Test
    void aServiceOfATrustedAuthorityIsSpokenTo() throws Exception {
        try (FakeService service = service(tls());
                RecordingsClient client = builder(service).build()) {
            assertEquals(RECORDING, client.get(Shelf.SID));
        }
    }

    @Test
    void aServiceOfAnotherAuthorityIsNot() throws Exception {
        try (FakeService service = service(tls());
                RecordingsClient client = builder(service).caFile(clients.certificate()).build()) {
            assertThrows(UnavailableException.class, () -> client.get(Shelf.SID));
            assertEquals(0, service.calls.size());
        }
    }

    @Test
    void aServiceThatAsksForACertificateIsShownOne() throws Exception {
        try (FakeService service = service(mutualTls());
                RecordingsClient client = builder(service)
                        .clientCertificateFile(clients.certificate())
                        .clientKeyFile(clients.key())
                        .build()) {
            assertEquals(RECORDING, client.get(Shelf.SID));
        }
    }

    @Test
    void withoutACertificateItIsUnavailable() throws Exception {
        try (FakeService service = service(mutualTls());
                RecordingsClient client = builder(service).build()) {
            assertThrows(UnavailableException.class, () -> client.get(Shelf.SID));
            assertEquals(0, service.calls.size());
        }
    }

    private static TlsServerCredentials.Builder tls() throws Exception {
        return TlsServerCredentials.newBuilder()
                .keyManager(servers.certificate().toFile(), servers.key().toFile());
    }

    private static TlsServerCredentials.Builder mutualTls() throws Exception {
        return tls().trustManager(clients.certificate().toFile())
                .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE);
    }

    private static FakeService service(TlsServerCredentials.Builder credentials) {
        FakeService service = new FakeService(credentials.build());
        service.get = request -> GetRecordingResponse.newBuilder().setRecording(RECORDING).build();
        return service;
    }

    private static RecordingsClientBuilder builder(FakeService service) {
        return RecordingsClient.builder(service.target()).token("a-token").caFile(servers.certificate());
    }
}
