/** What a channel is made of. */
import { credentials, type ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
import { DEFAULTS } from "./defaults.js";
import { InvalidOptionError } from "./errors.js";
import type { TlsFiles } from "./options.js";

/** What may be under way to a stream that is not being read: a chunk. */
const FLOW_CONTROL_WINDOW_BYTES = 1024 * 1024;

/** TLS with these files; in the clear without. Throws InvalidOptionError if a file has no certificate or key in it. */
export function credentialsOf(files: TlsFiles | undefined): ChannelCredentials {
  if (files === undefined) {
    return credentials.createInsecure();
  }
  try {
    return credentials.createSsl(files.authorities ?? null, files.key ?? null, files.certificate ?? null);
  } catch (error) {
    throw new InvalidOptionError("caFile, clientCertificateFile or clientKeyFile: is not what it should be", {
      cause: error,
    });
  }
}

/** gRPC's own options of a channel; `isLocal` says that its target is on this machine. */
export function channelOptions(isLocal: boolean): ChannelOptions {
  return {
    "grpc.service_config": JSON.stringify(DEFAULTS.serviceConfig),
    "grpc.service_config_disable_resolution": 1,
    "grpc.keepalive_time_ms": DEFAULTS.keepaliveTimeSeconds * 1000,
    "grpc.keepalive_timeout_ms": DEFAULTS.keepaliveTimeoutSeconds * 1000,
    "grpc.max_receive_message_length": DEFAULTS.maxReceiveMessageBytes,
    "grpc.initial_reconnect_backoff_ms": DEFAULTS.initialReconnectBackoffSeconds * 1000,
    "grpc.max_reconnect_backoff_ms": DEFAULTS.maxReconnectBackoffSeconds * 1000,
    // HTTP/2's own 64 KiB of a stream under way at once are too few: a chunk has up to 1 MiB. Since grpc-js 1.14; those
    // before don't know it.
    "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW_BYTES,
    // Connections of the client's own, which it closes, and whose failures are nobody else's.
    "grpc.use_local_subchannel_pool": 1,
    // A proxy that the environment names would get what is to stay on this machine, the token in the clear with it.
    ...(isLocal ? { "grpc.enable_http_proxy": 0 } : {}),
  };
}
