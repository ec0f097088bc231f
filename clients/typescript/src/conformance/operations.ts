/** The operations that read no bytes. */
import { RecordingJob, UnavailableReason, type RecordingsClient } from "../index.js";
import { reasonOf, stateAndSize, stateOf, type Result } from "./answers.js";
import type { Arguments } from "./arguments.js";

/** Does what a request asks for. */
export type Operation = (client: RecordingsClient, given: Arguments) => Promise<Result>;

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  enqueue: async (client, given) => {
    const job = given.text("job");
    const { reason } = await client.enqueue(given.recordingSid, {
      accountSid: given.text("account_sid") ?? "",
      labels: given.texts("labels") ?? {},
      job: job === undefined ? RecordingJob.RECORDING_JOB_UNSPECIFIED : named(RecordingJob, `RECORDING_JOB_${job}`),
    });
    return { reason: reasonOf(reason) };
  },

  batch_enqueue: async (client, given) => {
    const accountSid = given.text("account_sid") ?? "";
    const sids = given.textList("recording_sids") ?? [];
    const results = await client.batchEnqueue(sids.map((recordingSid) => ({ recordingSid, accountSid })));
    return {
      results: results.map(({ reason, error }) => ({
        reason: reasonOf(reason),
        error_reason: error?.reason ?? "",
        field: error?.field ?? "",
      })),
    };
  },

  report_unavailable: async (client, given) => {
    const reason = named(UnavailableReason, `UNAVAILABLE_REASON_${given.text("reason") ?? ""}`);
    const account = { accountSid: given.text("account_sid") };
    return { state: stateOf(await client.reportUnavailable(given.recordingSid, reason, account)) };
  },

  get: async (client, given) =>
    stateAndSize(await client.get(given.recordingSid, { accountSid: given.text("account_sid") })),

  list: async (client, given) => {
    const filter = { callSids: [given.text("call_sid") ?? ""], pageSize: given.number("page_size") ?? 0 };
    const found: string[] = [];
    for await (const { recordingSid } of client.list(filter)) {
      found.push(recordingSid);
    }
    return { recording_sids: found };
  },

  watch: async (client, given) => {
    const states: string[] = [];
    for await (const recording of client.watch(given.recordingSid, { timeoutSeconds: given.number("timeout") })) {
      if (states.at(-1) !== stateOf(recording)) {
        states.push(stateOf(recording));
      }
    }
    return { states };
  },

  wait_until_ready: async (client, given) =>
    stateAndSize(await client.waitUntilReady(given.recordingSid, { timeoutSeconds: given.number("timeout") })),

  abandon_watch: async (client, given) => {
    for await (const recording of client.watch(given.recordingSid)) {
      return { state: stateOf(recording) };
    }
    throw new Error("the watch has ended without a look");
  },

  use_closed_client: async (client, given) => {
    await client.close();
    return stateAndSize(await client.get(given.recordingSid));
  },

  create_playback_url: async (client, given) => {
    const options = { ttlSeconds: given.number("ttl"), attachment: given.flag("attachment") };
    const { url, expireTime } = await client.createPlaybackUrl(given.recordingSid, options);
    const seconds = ((expireTime?.getTime() ?? 0) - Date.now()) / 1000;
    return { path: new URL(url, "http://relative").pathname, seconds: 10 * Math.round(seconds / 10) };
  },

  delete: async (client, given) => {
    const recording = await client.delete(given.recordingSid, { allowMissing: given.flag("allow_missing") });
    return { state: recording === undefined ? "" : stateOf(recording) };
  },
};

function named<T extends number>(values: Readonly<Record<string, string | T>>, name: string): T {
  const value = values[name];
  if (typeof value !== "number") {
    throw new TypeError(`${name} is not known`);
  }
  return value;
}
