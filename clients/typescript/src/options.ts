/** How a client reaches the service and how patient it is. */
import { readFileSync } from "node:fs";
import { DEFAULTS } from "./defaults.js";
import { InvalidOptionError } from "./errors.js";
import { isLocal } from "./targets.js";

/** The options of every client (clients/README.md). What is left out is as in `clients/defaults.json`. */
export interface ClientOptions {
  /** Bearer token. Sent in the clear to loopback and Unix sockets only. */
  readonly token?: string | undefined;
  /** Whether to use TLS. Left out: yes, except to loopback and Unix sockets. */
  readonly tls?: boolean | undefined;
  /** PEM file of the authorities to trust. Left out: those that Node trusts. */
  readonly caFile?: string | URL | undefined;
  /** PEM file of the client's own certificate (mTLS). */
  readonly clientCertificateFile?: string | URL | undefined;
  /** PEM file of its key. */
  readonly clientKeyFile?: string | URL | undefined;
  /** Of a call with one answer. */
  readonly timeoutSeconds?: number | undefined;
  /** A stream that brings nothing for so long, while somebody reads, is opened again. */
  readonly stallTimeoutSeconds?: number | undefined;
  /** How often a broken stream is opened again without a message before its error is thrown. */
  readonly resumeAttempts?: number | undefined;
  /** The longest wait before the first such attempt; it doubles with each further one (full jitter). */
  readonly resumeInitialBackoffSeconds?: number | undefined;
  /** The longest wait before any. */
  readonly resumeMaxBackoffSeconds?: number | undefined;
}

/** How patient a client is, in seconds. */
export interface Patience {
  readonly timeoutSeconds: number;
  readonly stallTimeoutSeconds: number;
  readonly resumeAttempts: number;
  readonly resumeInitialBackoffSeconds: number;
  readonly resumeMaxBackoffSeconds: number;
}

/** What is needed for TLS; what is left out is Node's own. */
export interface TlsFiles {
  readonly authorities: Buffer | undefined;
  readonly certificate: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** How patient to be. Throws InvalidOptionError for what can't be. */
export function patienceOf(options: ClientOptions): Patience {
  return {
    timeoutSeconds: above("timeoutSeconds", options.timeoutSeconds),
    stallTimeoutSeconds: above("stallTimeoutSeconds", options.stallTimeoutSeconds),
    resumeAttempts: notBelow("resumeAttempts", options.resumeAttempts),
    resumeInitialBackoffSeconds: notBelow("resumeInitialBackoffSeconds", options.resumeInitialBackoffSeconds),
    resumeMaxBackoffSeconds: notBelow("resumeMaxBackoffSeconds", options.resumeMaxBackoffSeconds),
  };
}

/**
 * What is needed for TLS to that target; undefined for a connection in the clear. Throws InvalidOptionError for what
 * can't be: a file that isn't there, or a token that would go over the network in the clear.
 */
export function tlsFilesOf(target: string, options: ClientOptions): TlsFiles | undefined {
  const { caFile, clientCertificateFile, clientKeyFile } = options;
  if ((clientCertificateFile === undefined) !== (clientKeyFile === undefined)) {
    throw new InvalidOptionError("clientCertificateFile and clientKeyFile: give both, or none");
  }
  const wantsFiles = caFile !== undefined || clientKeyFile !== undefined;
  if (options.tls === false && wantsFiles) {
    throw new InvalidOptionError("tls: is off, but caFile or clientCertificateFile is given");
  }
  if (options.tls ?? (wantsFiles || !isLocal(target))) {
    return {
      authorities: contentOf("caFile", caFile),
      certificate: contentOf("clientCertificateFile", clientCertificateFile),
      key: contentOf("clientKeyFile", clientKeyFile),
    };
  }
  if (tokenOf(options) !== "" && !isLocal(target)) {
    throw new InvalidOptionError("tls: is off, and the token would go over the network in the clear");
  }
  return undefined;
}

/** The token, empty if there is none. Throws InvalidOptionError if it is none, without saying it. */
export function tokenOf(options: ClientOptions): string {
  const token = options.token ?? "";
  if (!/^[\x21-\x7e]*$/.test(token)) {
    throw new InvalidOptionError("token: must be printable ASCII without blanks; is there a line break at its end?");
  }
  return token;
}

function contentOf(name: string, file: string | URL | undefined): Buffer | undefined {
  if (file === undefined) {
    return undefined;
  }
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InvalidOptionError(`${name}: ${String(file)} can't be read`, { cause: error });
  }
}

function above(name: keyof Patience, given: number | undefined): number {
  const value = given ?? DEFAULTS[name];
  if (!(value > 0 && Number.isFinite(value))) {
    throw new InvalidOptionError(`${name}: must be a number above 0`);
  }
  return value;
}

function notBelow(name: keyof Patience, given: number | undefined): number {
  const value = given ?? DEFAULTS[name];
  if (!(value >= 0 && Number.isFinite(value))) {
    throw new InvalidOptionError(`${name}: must be a number, and not below 0`);
  }
  return value;
}
