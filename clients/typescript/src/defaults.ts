/** What every client has in common where nothing else is asked for: `clients/defaults.json`, copied by `make proto`. */
import { readFileSync } from "node:fs";

interface Defaults {
  readonly serviceConfig: object;
  readonly timeoutSeconds: number;
  readonly watchTimeoutSeconds: number;
  readonly keepaliveTimeSeconds: number;
  readonly keepaliveTimeoutSeconds: number;
  readonly maxReceiveMessageBytes: number;
  readonly initialReconnectBackoffSeconds: number;
  readonly maxReconnectBackoffSeconds: number;
  readonly stallTimeoutSeconds: number;
  readonly resumeAttempts: number;
  readonly resumeInitialBackoffSeconds: number;
  readonly resumeMaxBackoffSeconds: number;
  readonly seekAheadBytes: number;
}

// Read, not imported: Node 20 warns about imports of JSON.
const text = readFileSync(new URL("./defaults.json", import.meta.url), "utf8");

/** The defaults. */
export const DEFAULTS = JSON.parse(text) as Defaults;
