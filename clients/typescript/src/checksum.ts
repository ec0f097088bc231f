/** Compares what is read with the recording's SHA-256, if all of it is read in order (g of clients/README.md). */
import { createHash, type Hash } from "node:crypto";
import { ChecksumMismatchError } from "./errors.js";
import type { Opening } from "./range-reading.js";

/** Of one sequence of reads. Begins anew whenever reading does at the first byte; with a gap nothing is compared. */
export class Checksum {
  #hash: Hash = createHash("sha256");
  /** What comes next in a read without a gap. */
  #next = 0;

  /**
   * Takes bytes that are about to be handed out.
   *
   * @throws ChecksumMismatchError with them the whole recording would have been, and it is another one; they count as
   *   not taken
   */
  take(place: number, data: Uint8Array, { recording, completeLength }: Opening): void {
    if (place === 0) {
      this.#hash = createHash("sha256");
      this.#next = 0;
    }
    if (place !== this.#next || data.length === 0) {
      return;
    }
    const isWhole = place + data.length === completeLength;
    // A digest ends a hash: of the last bytes a copy takes it, so that they can be tried again.
    const withThese = isWhole ? this.#hash.copy() : this.#hash;
    withThese.update(data);
    if (isWhole && recording.sha256 !== "" && withThese.copy().digest("hex") !== recording.sha256) {
      throw new ChecksumMismatchError("what was read is not what the recording's SHA-256 says", {
        metadata: { recordingSid: recording.recordingSid },
      });
    }
    this.#hash = withThese;
    this.#next = place + data.length;
  }
}
