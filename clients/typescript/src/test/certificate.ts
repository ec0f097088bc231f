/** A certificate for tests, made without any tool: X.509, in DER. */
import { createSign, generateKeyPairSync } from "node:crypto";

const COMMON_NAME = "2.5.4.3";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const BASIC_CONSTRAINTS = "2.5.29.19";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const TRUE = der(0x01, Buffer.from([0xff]));

/** One that is its own authority, for 127.0.0.1, valid for a day, and its key; both in PEM. */
export function testCertificate(name: string): { certificate: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(objectId(ECDSA_WITH_SHA256));
  const names = sequence(der(0x31, sequence(objectId(COMMON_NAME), der(0x0c, Buffer.from(name)))));
  const alternatives = sequence(der(0x87, Buffer.from([127, 0, 0, 1])));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.from([1 + (Date.now() & 0x3f)])),
    algorithm,
    names,
    sequence(time(-60_000), time(86_400_000)),
    names,
    publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      sequence(
        sequence(objectId(SUBJECT_ALTERNATIVE_NAME), der(0x04, alternatives)),
        sequence(objectId(BASIC_CONSTRAINTS), TRUE, der(0x04, sequence(TRUE))),
      ),
    ),
  );
  const signature = createSign("sha256").update(body).sign(privateKey);
  const certificate = sequence(body, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString("base64").replace(/.{64}/g, "$&\n");
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function objectId(dotted: string): Buffer {
  const [one = 0, two = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = rest.flatMap((number) => {
    const groups = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) {
      groups.unshift((left & 0x7f) | 0x80);
    }
    return groups;
  });
  return der(0x06, Buffer.from([one * 40 + two, ...bytes]));
}

function time(fromNowMilliseconds: number): Buffer {
  const text = new Date(Date.now() + fromNowMilliseconds).toISOString().replace(/\.\d+|[-:T]/g, "");
  return der(0x18, Buffer.from(text));
}
