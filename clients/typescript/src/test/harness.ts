/** A service that misbehaves on command, and a client of it, for one test. */
import { RecordingsClient, type ClientOptions } from "../index.js";
import { eventually } from "./eventually.js";
import { FakeService } from "./fake-service.js";

/** Quick, so that tests are. */
export const IMPATIENT: ClientOptions = {
  timeoutSeconds: 5,
  stallTimeoutSeconds: 5,
  resumeInitialBackoffSeconds: 0.001,
  resumeMaxBackoffSeconds: 0.01,
};

/** Runs a test; after it no stream must be open any more. */
export function withService(
  test: (service: FakeService, client: RecordingsClient) => Promise<void>,
  options: ClientOptions = {},
) {
  return async (): Promise<void> => {
    const service = new FakeService();
    await service.start();
    const client = new RecordingsClient(service.target, { ...IMPATIENT, ...options });
    try {
      await test(service, client);
      await eventually("no stream is open", () => service.open === 0);
    } finally {
      await client.close();
      service.stop();
    }
  };
}

/** All that there is. */
export async function all(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) {
    parts.push(piece);
  }
  return Buffer.concat(parts);
}
