import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { InvalidOptionError, RecordingsClient, type ClientOptions } from "../index.js";
import { patienceOf } from "../options.js";
import { isLocal } from "../targets.js";

for (const target of [
  "127.0.0.1:50051",
  "127.9.9.9",
  "localhost:50051",
  "localhost",
  "[::1]:50051",
  "::1",
  "[::ffff:127.0.0.1]:1",
  "dns:localhost:50051",
  "dns:///127.0.0.1:50051",
  "dns://8.8.8.8/127.0.0.1:50051",
  "ipv4:127.0.0.1:50051,127.0.0.2:50051",
  "ipv6:[::1]:50051",
  "unix:/run/recordings.sock",
  "unix:recordings.sock",
  "unix:///run/recordings.sock",
]) {
  test(`${target} is on this machine`, () => {
    assert.equal(isLocal(target), true);
  });
}

for (const target of [
  "recordings.example:50051",
  "10.0.0.1:50051",
  "localhost.example:50051",
  "127.0.0.1.example:50051",
  "127.0.0.1:50051@recordings.example",
  "dns:///recordings.example:50051",
  "dns://8.8.8.8/localhost:50051",
  "dns://localhost/recordings.example",
  "dns://127.0.0.1/recordings.example",
  "ipv4:127.0.0.1:50051,10.0.0.1:50051",
  "[::2]:50051",
  "[2001:db8::1]:50051",
  "xds:///127.0.0.1",
  "",
]) {
  test(`"${target}" may be elsewhere`, () => {
    assert.equal(isLocal(target), false);
  });
}

const refused: [what: string, option: RegExp, target: string, options: ClientOptions][] = [
  ["an empty target", /^target/, " ", {}],
  ["a target that is none", /^target/, "127.0.0.1\n:50051", { tls: false }],
  ["a token over a network in the clear", /^tls/, "recordings.example:1", { token: "secret", tls: false }],
  ["a token with a line break", /^token/, "127.0.0.1:1", { token: "secret\n" }],
  ["a key without its certificate", /^clientCertificateFile/, "127.0.0.1:1", { clientKeyFile: "key.pem" }],
  ["a certificate without its key", /^clientCertificateFile/, "127.0.0.1:1", { clientCertificateFile: "cert.pem" }],
  ["authorities without TLS", /^tls/, "127.0.0.1:1", { tls: false, caFile: "ca.pem" }],
  ["a file that isn't there", /^caFile/, "127.0.0.1:1", { caFile: "/nowhere/ca.pem" }],
  ["no time", /^timeoutSeconds/, "127.0.0.1:1", { timeoutSeconds: 0 }],
  ["a time that is none", /^stallTimeoutSeconds/, "127.0.0.1:1", { stallTimeoutSeconds: Number.NaN }],
  ["a time without end", /^timeoutSeconds/, "127.0.0.1:1", { timeoutSeconds: Infinity }],
  ["attempts below 0", /^resumeAttempts/, "127.0.0.1:1", { resumeAttempts: -1 }],
  ["a backoff below 0", /^resumeMaxBackoffSeconds/, "127.0.0.1:1", { resumeMaxBackoffSeconds: -1 }],
];
for (const [what, option, target, options] of refused) {
  test(`${what} is refused when the client is made`, () => {
    assert.throws(
      () => new RecordingsClient(target, options),
      (error) => {
        assert.ok(error instanceof InvalidOptionError);
        assert.match(error.message, option);
        return !inspect(error).includes("secret");
      },
    );
  });
}

test("a file without a certificate in it is refused when the client is made", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "options-"));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "key.pem");
  writeFileSync(file, "no key");
  const options = { clientCertificateFile: file, clientKeyFile: file };
  assert.throws(() => new RecordingsClient("127.0.0.1:1", options), InvalidOptionError);
});

test("what is left out is as in defaults.json", () => {
  const text = readFileSync(new URL("../defaults.json", import.meta.url), "utf8");
  const defaults = JSON.parse(text) as Record<string, unknown>;
  for (const [name, value] of Object.entries(patienceOf({ timeoutSeconds: undefined }))) {
    assert.equal(value, defaults[name], name);
  }
});

test("the token is in no text", async () => {
  await using client = new RecordingsClient("127.0.0.1:1", { token: "secret" });
  const texts = [inspect(client, { depth: null, showHidden: true }), JSON.stringify(client)];
  assert.ok(texts.every((text) => !text.includes("secret")));
});
