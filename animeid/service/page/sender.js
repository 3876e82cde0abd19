// Pictures on their way: a few at a time, and again where the service is busy.

import { Refusal } from "./api.js";

const TOGETHER = 3;
const TRIES = 20;
const WAIT_SECONDS = 1;
const SPREAD_SECONDS = 0.5;

/** Sends items in their order.
 *
 * @param send is given an item, and throws a Refusal where there is no answer.
 * @param changed is told of an item whose `state` is another now: waiting, sending, answered or failed.
 */
export class Sender {
  #waiting = [];
  #underway = 0;
  #held = false;

  constructor(send, changed) {
    this.send = send;
    this.changed = changed;
  }

  get left() {
    return this.#waiting.length + this.#underway;
  }

  add(item) {
    item.tries = 0;
    this.#put(item, "waiting");
    this.#waiting.push(item);
    this.#next();
  }

  /** Forgets an item that waits. */
  drop(item) {
    this.#waiting = this.#waiting.filter((other) => other !== item);
  }

  #put(item, state, refusal = null) {
    item.state = state;
    item.refusal = refusal;
    this.changed(item);
  }

  #next() {
    while (!this.#held && this.#underway < TOGETHER && this.#waiting.length > 0) this.#one(this.#waiting.shift());
  }

  async #one(item) {
    this.#underway += 1;
    item.tries += 1;
    this.#put(item, "sending");
    try {
      await this.send(item);
      this.#underway -= 1;
      this.#put(item, "answered");
    } catch (error) {
      this.#underway -= 1;
      const refusal = error instanceof Refusal ? error : new Refusal(500, String(error));
      if (refusal.passes && item.tries < TRIES) this.#later(item, refusal);
      else this.#put(item, "failed", refusal);
    }
    this.#next();
  }

  /** Nothing is sent until the service wants to be asked again. */
  #later(item, refusal) {
    this.#waiting.unshift(item);
    this.#put(item, "waiting", refusal);
    if (this.#held) return;
    this.#held = true;
    const seconds = (refusal.retryAfter ?? WAIT_SECONDS) + Math.random() * SPREAD_SECONDS;
    setTimeout(() => {
      this.#held = false;
      this.#next();
    }, seconds * 1000);
  }
}
