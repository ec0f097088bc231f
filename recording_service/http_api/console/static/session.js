// Signing in and out. The token goes to the service once; it comes back as a cookie that no script can read.

import { note } from "./announcements.js";
import { ask, Failure } from "./api.js";
import { byId, setText } from "./dom.js";

const WELCOME = "This service is open to callers with a token.";
const ENDED = "Your session has ended. Sign in again: your place in the list and in the recording is kept.";

export class Session {
  #opened;
  #dialog = byId("sign-in");
  #token = byId("token");
  #needed = false;

  /** `opened` is called whenever the person has signed in. */
  constructor(opened) {
    this.#opened = opened;
    byId("sign-in-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#signIn();
    });
    // There is nothing behind it to go back to. A second Esc closes a dialog without asking.
    this.#dialog.addEventListener("cancel", (event) => event.preventDefault());
    this.#dialog.addEventListener("close", () => this.#needed && this.#dialog.showModal());
    this.#token.addEventListener("input", () => this.#complain(""));
    byId("sign-out").addEventListener("click", () => void this.#signOut());
  }

  /** Returns whether the page may be filled; else the person is asked to sign in. Throws `Failure`. */
  async begin() {
    let state;
    try {
      state = await ask("session");
    } catch (failure) {
      // A service without callers has no sessions.
      if (!(failure instanceof Failure) || failure.status !== 404) throw failure;
      state = { required: false };
    }
    byId("sign-out").hidden = !(state.required && state.open);
    if (!state.required || state.open) return true;
    this.#ask(WELCOME);
    return false;
  }

  /** The service has refused a request of ours for want of a session. */
  ended() {
    this.#ask(ENDED);
  }

  #ask(words) {
    if (this.#dialog.open) return;
    this.#needed = true;
    setText(byId("sign-in-words"), words);
    this.#complain("");
    this.#token.value = "";
    this.#dialog.showModal();
    this.#token.focus();
  }

  async #signIn() {
    const button = byId("sign-in-go");
    button.disabled = true;
    setText(button, "Signing in…");
    try {
      await ask("session", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ token: this.#token.value.trim() }),
      });
      this.#token.value = "";
      this.#needed = false;
      this.#dialog.close();
      byId("sign-out").hidden = false;
      this.#opened();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      const unknown = "This token isn't known here. Look whether all of it was copied, or ask whoever runs the service.";
      // What can't be a token at all is 400.
      this.#complain(failure.status === 401 || failure.status === 400 ? unknown : failure.message);
      this.#token.focus();
      this.#token.select();
    } finally {
      button.disabled = false;
      setText(button, "Sign in");
    }
  }

  #complain(words) {
    setText(byId("token-error"), words);
    if (words) this.#token.setAttribute("aria-invalid", "true");
    else this.#token.removeAttribute("aria-invalid");
  }

  async #signOut() {
    try {
      await ask("session", { method: "DELETE" });
      location.reload();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      note(`You are still signed in. ${failure.message}`);
    }
  }
}
