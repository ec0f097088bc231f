package recordings.client;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.concurrent.TimeUnit;

/** A key and a certificate of it for 127.0.0.1, which is its own authority: PEM files. */
record TestCertificate(Path certificate, Path key) {
    private static final char[] PASSWORD = "of-the-tests".toCharArray();

    static TestCertificate make(Path folder, String name) throws Exception {
        Path store = folder.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                        "-genkeypair", "-alias", name, "-keyalg", "EC", "-dname", "CN=" + name,
                        "-ext", "san=ip:127.0.0.1", "-storetype", "PKCS12", "-keystore", store.toString(),
                        "-storepass", new String(PASSWORD))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".log").toFile())
                .start();
        if (!keytool.waitFor(30, TimeUnit.SECONDS) || keytool.exitValue() != 0) {
            keytool.destroyForcibly();
            throw new IllegalStateException(Files.readString(folder.resolve(name + ".log")));
        }
        KeyStore entries = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(store)) {
            entries.load(file, PASSWORD);
        }
        return new TestCertificate(
                pem(folder.resolve(name + ".crt"), "CERTIFICATE", entries.getCertificate(name).getEncoded()),
                pem(folder.resolve(name + ".key"), "PRIVATE KEY", entries.getKey(name, PASSWORD).getEncoded()));
    }

    private static Path pem(Path file, String what, byte[] content) throws Exception {
        String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        return Files.writeString(file, "-----BEGIN " + what + "-----\n" + lines + "\n-----END " + what + "-----\n");
    }
}
