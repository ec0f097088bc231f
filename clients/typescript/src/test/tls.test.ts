import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { ServerCredentials, type KeyCertPair } from "@grpc/grpc-js";
import { EnqueueReason, RecordingsClient, UnavailableError, type ClientOptions } from "../index.js";
import { testCertificate } from "./certificate.js";
import { rejection } from "./eventually.js";
import { FakeService } from "./fake-service.js";
import { IMPATIENT } from "./harness.js";
import { SID } from "./shelf.js";

const folder = mkdtempSync(join(tmpdir(), "tls-"));
after(() => {
  rmSync(folder, { recursive: true });
});

interface TestFiles {
  readonly certificate: string;
  readonly key: string;
  readonly pair: KeyCertPair;
}

/** Writes a certificate and its key. */
function certificateOf(name: string): TestFiles {
  const { certificate, key } = testCertificate(name);
  const files = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) };
  writeFileSync(files.certificate, certificate);
  writeFileSync(files.key, key);
  return { ...files, pair: { cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) } };
}

const service = certificateOf("service");
const caller = certificateOf("caller");
const other = certificateOf("other");

/** Asks a service with TLS, which may ask for the caller's certificate. */
async function asking(
  asksForCertificate: boolean,
  options: ClientOptions,
  ask: (client: RecordingsClient) => Promise<void>,
): Promise<void> {
  const authorities = asksForCertificate ? caller.pair.cert_chain : null;
  const fake = new FakeService(ServerCredentials.createSsl(authorities, [service.pair], asksForCertificate));
  await fake.start();
  const client = new RecordingsClient(fake.target, { ...IMPATIENT, timeoutSeconds: 2, ...options });
  try {
    await ask(client);
  } finally {
    await client.close();
    fake.stop();
  }
}

async function isEnqueued(client: RecordingsClient): Promise<void> {
  assert.equal((await client.enqueue(SID)).reason, EnqueueReason.ENQUEUE_REASON_ENQUEUED);
}

async function isUnavailable(client: RecordingsClient): Promise<void> {
  assert.ok((await rejection(client.enqueue(SID))) instanceof UnavailableError);
}

test("a service of a trusted authority is spoken to", async () =>
  asking(false, { caFile: service.certificate, token: "secret" }, isEnqueued));

test("files may be named by URLs", async () =>
  asking(false, { caFile: pathToFileURL(service.certificate) }, isEnqueued));

test("a service of another authority is not", async () => asking(false, { caFile: other.certificate }, isUnavailable));

test("without authorities it is those of Node", async () => asking(false, { tls: true }, isUnavailable));

test("a service that asks for a certificate is shown one", async () => {
  const files = { clientCertificateFile: caller.certificate, clientKeyFile: caller.key };
  return asking(true, { caFile: service.certificate, ...files }, isEnqueued);
});

test("without a certificate it is unavailable", async () =>
  asking(true, { caFile: service.certificate }, isUnavailable));

test("with another one as well", async () => {
  const files = { clientCertificateFile: other.certificate, clientKeyFile: other.key };
  return asking(true, { caFile: service.certificate, ...files }, isUnavailable);
});
