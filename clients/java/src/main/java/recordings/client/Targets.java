package recordings.client;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.regex.Pattern;

/** Where a target leads. */
final class Targets {
    private static final Pattern LOOPBACK_V4 = Pattern.compile("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}");

    private Targets() {}

    /** Whether it names a Unix socket. */
    static boolean isUnixSocket(String target) {
        return target.startsWith("unix:");
    }

    /** Whether what is sent there stays on this machine: a loopback address, or a Unix socket. */
    static boolean isLocal(String target) {
        if (isUnixSocket(target)) {
            return true;
        }
        String name = target.startsWith("dns:") ? target.substring(target.lastIndexOf('/') + 1) : target;
        return isLoopback(host(name.startsWith("dns:") ? name.substring(4) : name));
    }

    /** The host, as gRPC's own resolver finds it: anything else could be led past this check. */
    private static String host(String name) {
        try {
            String host = URI.create("//" + name).getHost();
            return host == null ? "" : host;
        } catch (IllegalArgumentException e) {
            // gRPC refuses it as well, or reads something there that is no address of this machine.
            return "";
        }
    }

    private static boolean isLoopback(String host) {
        if (!host.startsWith("[")) {
            return host.equals("localhost") || LOOPBACK_V4.matcher(host).matches();
        }
        try {
            // An address in brackets is a literal: nobody is asked for it.
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
