/** Lets tasks run one after the other, in the order in which they were asked for. */
export class Serially {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the task once those before it are over, whether they failed or not. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
