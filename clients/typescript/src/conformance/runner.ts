/** The runner of this client: a JSON request a line in, an answer a line out (clients/conformance/README.md). */
import { createInterface } from "node:readline";
import { RecordingsClient, type ClientOptions } from "../index.js";
import { CutRead, errorAnswer, type Result } from "./answers.js";
import { Arguments } from "./arguments.js";
import { OPERATIONS } from "./operations.js";
import { measureStub, READING } from "./reading.js";

interface Request {
  readonly id: unknown;
  readonly operation: string;
  readonly options: unknown;
  readonly arguments: unknown;
}

function optionsOf(given: Arguments): ClientOptions {
  return {
    token: given.text("token"),
    tls: given.flag("tls"),
    caFile: given.text("ca_file"),
    clientCertificateFile: given.text("client_certificate_file"),
    clientKeyFile: given.text("client_key_file"),
    timeoutSeconds: given.number("timeout"),
    stallTimeoutSeconds: given.number("stall_timeout"),
    resumeAttempts: given.number("resume_attempts"),
    resumeInitialBackoffSeconds: given.number("resume_initial_backoff"),
    resumeMaxBackoffSeconds: given.number("resume_max_backoff"),
  };
}

async function resultOf(request: Request): Promise<Result> {
  const options = new Arguments(request.options);
  const given = new Arguments(request.arguments ?? {});
  if (request.operation === "measure" && (given.text("with") ?? "reader") !== "reader") {
    return measureStub(options, given);
  }
  const operation = OPERATIONS[request.operation] ?? READING[request.operation];
  if (operation === undefined) {
    throw new TypeError(`there is no operation ${request.operation}`);
  }
  await using client = new RecordingsClient(options.text("target") ?? "", optionsOf(options));
  return await operation(client, given);
}

async function answerTo(request: Request): Promise<object> {
  const { id } = request;
  try {
    return { id, result: await resultOf(request) };
  } catch (error) {
    return error instanceof CutRead
      ? { id, result: error.result, error: errorAnswer(error.cause) }
      : { id, error: errorAnswer(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answerTo(JSON.parse(line) as Request))}\n`);
}
