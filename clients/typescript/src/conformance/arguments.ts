/** Two numbers: the first and the last of a range, a place and a count. */
export type Pair = [number, number];

/** What a request brings: a JSON object, of which nothing is certain. */
export class Arguments {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: unknown) {
    if (typeof values !== "object" || values === null) {
      throw new TypeError("arguments and options are JSON objects");
    }
    this.#values = values as Record<string, unknown>;
  }

  /** A text; undefined if it is missing. */
  text(name: string): string | undefined {
    return this.#get(name, "string") as string | undefined;
  }

  /** A number; undefined if it is missing. */
  number(name: string): number | undefined {
    return this.#get(name, "number") as number | undefined;
  }

  /** Whether it is so; undefined if it is missing. */
  flag(name: string): boolean | undefined {
    return this.#get(name, "boolean") as boolean | undefined;
  }

  /** A list of texts; undefined if it is missing. */
  textList(name: string): string[] | undefined {
    return this.#get(name, "object") as string[] | undefined;
  }

  /** Two numbers; undefined if they are missing. */
  pair(name: string): Pair | undefined {
    return this.#get(name, "object") as Pair | undefined;
  }

  /** A list of two numbers each; undefined if it is missing. */
  pairs(name: string): Pair[] | undefined {
    return this.#get(name, "object") as Pair[] | undefined;
  }

  /** An object of texts; undefined if it is missing. */
  texts(name: string): Record<string, string> | undefined {
    return this.#get(name, "object") as Record<string, string> | undefined;
  }

  /** The recording that every operation but a few is about. */
  get recordingSid(): string {
    return this.text("recording_sid") ?? "";
  }

  #get(name: string, type: string): unknown {
    const value = this.#values[name] ?? undefined;
    if (value !== undefined && typeof value !== type) {
      throw new TypeError(`${name}: is no ${type}`);
    }
    return value;
  }
}
