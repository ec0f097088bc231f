import { setTimeout as sleep } from "node:timers/promises";

/** Waits for a condition, ten seconds at most. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  const until = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > until) {
      throw new Error(`in vain waited for: ${what}`);
    }
    await sleep(2);
  }
}

/** The error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`was not rejected, but gave ${String(value)}`);
}
