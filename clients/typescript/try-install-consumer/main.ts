import { RecordingsClient, RecordingState, UnavailableError, type Recording } from "@recording-service/client";
import { RecordingServiceClient } from "@recording-service/client/v1";
import { status } from "@grpc/grpc-js";

const sid = "RE0123456789abcdef0123456789abcdef";

/** Not called: that it compiles says that the types are there. */
export async function everything(client: RecordingsClient, signal: AbortSignal): Promise<Response> {
  const ready: Recording = await client.waitUntilReady(sid, { timeoutSeconds: 5, signal });
  console.log(ready.state === RecordingState.RECORDING_STATE_READY, RecordingServiceClient.serviceName);
  await using reader = client.open(sid, { offset: 5, etag: ready.etag });
  const head: Uint8Array = await reader.read(0, 100);
  console.log(head.length);
  return new Response(reader.stream());
}

const client = new RecordingsClient("127.0.0.1:1", { timeoutSeconds: 5 });
try {
  await client.get(sid);
} catch (error) {
  if (!(error instanceof UnavailableError)) {
    throw error;
  }
  console.log(error.name, status[error.code ?? status.OK]);
}
await client.close();
