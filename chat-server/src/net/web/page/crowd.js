// The people of the channel that is shown: asked for once, then kept up to date by what the server tells.

import { fold } from "./fold.js";
import { isChannel } from "./talks.js";

const PEOPLE_MAX = 500;

export class Crowd {
  people = new Map(); // By folded name.
  total = 0;
  #asked = []; // Questions without an answer, in order: { id, limit }.
  #count = 0;
  #channel = "";

  /** `send(request)` asks the server; `changed()` is called when another list has to be shown. */
  constructor(send, changed) {
    Object.assign(this, { send, changed });
  }

  show(name) {
    this.#channel = name;
    this.people = new Map();
    this.total = 0;
    this.#ask(PEOPLE_MAX);
  }

  /** Asks for the number: the server does not tell who comes and goes in a crowd. */
  count() {
    this.#ask(1);
  }

  /** Forgets the questions of a connection that was lost. */
  lost() {
    this.#asked = [];
  }

  #ask(limit) {
    const id = `users-${++this.#count}`;
    if (!isChannel(this.#channel) || !this.send({ type: "users", channel: this.#channel, limit, id })) return;
    this.#asked.push({ id, limit });
  }

  /** A request was refused; it may be a question of these. */
  refused(id) {
    this.#asked = this.#asked.filter((question) => question.id !== id);
  }

  answered({ channel, users, total }) {
    const { limit } = this.#asked.shift() ?? {};
    if (fold(channel) !== fold(this.#channel)) return;
    if (limit !== 1) this.people = new Map(users.map((nick) => [fold(nick), nick]));
    // Only a count leads to one more question, so questions and answers come to an end.
    else if (total !== this.total && total <= PEOPLE_MAX) this.#ask(PEOPLE_MAX);
    this.total = total;
    this.changed();
  }

  /** Returns whether the nick is new in the channel that is shown. */
  comes(nick, channel) {
    if (fold(channel) !== fold(this.#channel) || this.people.has(fold(nick))) return false;
    this.people.set(fold(nick), nick);
    this.total++;
    this.changed();
    return true;
  }

  /** Returns whether the nick was in the channel that is shown. */
  goes(nick) {
    if (!this.people.delete(fold(nick))) return false;
    this.total--;
    this.changed();
    return true;
  }

  /** Returns whether the nick is known here. */
  renames(nick, to) {
    const isKnown = this.people.delete(fold(nick)) || fold(this.#channel) === fold(nick);
    if (isChannel(this.#channel) && isKnown) this.people.set(fold(to), to);
    return isKnown;
  }
}
