/** The examples of README.md, word for word: compiled as strictly as they can be, and run. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { status as Code } from "@grpc/grpc-js";
import ts from "typescript";
import { RecordingState } from "../index.js";
import { ListRecordingsResponse } from "../v1.js";
import { withService } from "./harness.js";
import { refusal } from "./refusals.js";
import { CHUNK, SID, Shelf } from "./shelf.js";

const shelf = new Shelf(3 * CHUNK + 7);
const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/^```typescript\n(.*?)^```/gms)].map(([, code = ""]) => code);

// In the package itself, which can import itself by its name.
const folder = fileURLToPath(new URL("readme", import.meta.url));

/** What the examples after the first one take for granted, and what they need to come to an end. */
const PRELUDE = `
import { createServer } from "node:http";
import { pipeline } from "node:stream/promises";
import { RecordingNotReadyError, RecordingsClient, RecordingState } from "@recording-service/client";
const [target = "", recordingSid = ""] = process.argv.slice(2);
const callSid = "CA1";
const recordings = new RecordingsClient(target);
void [createServer, pipeline, RecordingNotReadyError, RecordingState, callSid];
`;
const SERVED = `
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as { port: number };
console.log((await (await fetch(\`http://127.0.0.1:\${port}\`)).arrayBuffer()).byteLength);
server.close();
server.closeAllConnections();
`;
const CLOSE = "await recordings.close();\n";
const programs = examples.map((code, index) => {
  switch (index) {
    case 0:
      return code;
    case 2:
      return PRELUDE + code + SERVED + CLOSE;
    default:
      return PRELUDE + code + CLOSE;
  }
});

/** Runs an example; what it has printed. */
async function printed(example: number, ...args: string[]): Promise<string> {
  const file = join(folder, `example-${String(example)}.mjs`);
  return (await promisify(execFile)(process.execPath, [file, ...args], { timeout: 20_000 })).stdout;
}

before(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const files = programs.map((program, index) => {
    const file = join(folder, `example-${String(index)}.mts`);
    writeFileSync(file, program);
    return file;
  });
  const program = ts.createProgram(files, {
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
    types: ["node"],
  });
  const found = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  assert.deepEqual(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")), []);
});

test("the program fetches a recording", withService(async (service) => {
  service.watch = async (play) => play.send({ recording: shelf.recording });
  service.stream = async (play) => shelf.send(play);
  const file = join(folder, "fetched");
  assert.equal(await printed(0, service.target, SID, file), "ENQUEUE_REASON_ENQUEUED\n");
  assert.deepEqual(readFileSync(file), shelf.bytes);
}));

test("the other calls watch, read the end and list", withService(async (service) => {
  service.watch = async (play) => play.send({ recording: shelf.recording });
  service.stream = async (play) => shelf.send(play);
  service.list = () => ListRecordingsResponse.fromPartial({ recordings: [{ recordingSid: SID }] });
  assert.equal(await printed(1, service.target, SID), `RECORDING_STATE_READY\n1000\n${SID}\n`);
}));

test("the server passes a recording on", withService(async (service) => {
  service.stream = async (play) => shelf.send(play);
  assert.equal(await printed(2, service.target, SID), `${String(shelf.bytes.length)}\n`);
}));

test("the error says in which state the recording is", withService(async (service) => {
  service.stream = async () => {
    const state = RecordingState[RecordingState.RECORDING_STATE_QUEUED].replace("RECORDING_STATE_", "");
    return Promise.reject(refusal(Code.FAILED_PRECONDITION, { reason: "RECORDING_NOT_READY", metadata: { state } }));
  };
  assert.equal(await printed(3, service.target, SID), "not yet: QUEUED\n");
}));

test("there is no other example", () => {
  assert.equal(examples.length, 4);
});
