// The messages on the screen, however many there are: they stand in chunks, and only chunks near to what
// one looks at have elements in them; the others keep their height.

import { element, lines } from "./lines.js";

const CHUNK = 50;
/** Near: so much above and below what is seen. */
const NEAR = "150% 0px";
const END_PX = 60, OLDER_PX = 800;
/** Of a line, until some have been measured. */
const GUESS_PX = 40;

export class Log {
  #talk = null;
  #chunks = [];
  #count = 0; // Entries of the conversation that are in chunks.
  #elements = new WeakMap(); // Entry -> its elements.
  #measured = { px: GUESS_PX, lines: 1 };

  /** `box` scrolls `list`; `ui` is told where one reads, and asked for what is missing. */
  constructor(box, list, talks, ui) {
    Object.assign(this, { box, list, talks, ui, following: true });
    this.observer = new IntersectionObserver((seen) => this.#near(seen), { root: box, rootMargin: NEAR });
    box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.following && this.toEnd()).observe(box);
  }

  /** Shows a conversation, at the place where it was left. */
  show(talk) {
    if (this.#talk) this.#talk.place = this.following ? null : this.#place();
    this.#talk = talk;
    this.#build();
    this.#return(talk.place);
  }

  /** Everything may stand elsewhere now. */
  rebuild() {
    if (!this.#talk) return;
    const place = this.following ? null : this.#place();
    this.#build();
    this.#return(place);
  }

  /** Entries have come behind those that are here. */
  append() {
    const talk = this.#talk;
    if (!talk) return;
    if (talk.trim(this.following)) return this.rebuild();
    const fresh = talk.messages.slice(this.#count);
    let before = talk.messages[this.#count - 1];
    this.#count = talk.messages.length;
    const last = this.#chunks.at(-1);
    const room = last ? CHUNK - last.entries.length : 0;
    for (const entry of fresh.slice(0, room)) {
      last.entries.push(entry);
      if (last.filled) last.element.append(...this.#make(entry, before));
      before = entry;
    }
    const made = [];
    for (let at = room; at < fresh.length; at += CHUNK) made.push(this.#chunk(fresh.slice(at, at + CHUNK), fresh[at - 1] ?? before));
    this.#chunks.push(...made);
    this.list.append(...made.map((chunk) => chunk.element));
    for (const chunk of made.slice(-2)) this.#fill(chunk);
    if (this.following) this.toEnd();
  }

  /** Older ones have come before those that are here. What one looks at stays where it is. */
  prepend(older) {
    if (!older.length) return;
    this.#count += older.length;
    this.#keepPlace(() => {
      const first = this.#chunks[0];
      const made = this.#split(older);
      this.#chunks.unshift(...made);
      this.list.prepend(...made.map((chunk) => chunk.element));
      for (const chunk of made.slice(-2)) this.#fill(chunk);
      if (first) first.before = older.at(-1);
      if (first?.filled) this.#fill(first);
    });
    this.#scrolled();
  }

  /** An entry has changed. */
  refresh(entry) {
    const old = this.#elements.get(entry)?.filter((one) => one.isConnected);
    if (!old?.length) return;
    const at = this.#talk.messages.indexOf(entry);
    const made = this.#make(entry, this.#talk.messages[at - 1]);
    old[0].before(...made);
    for (const one of old) one.remove();
    if (this.following) this.toEnd();
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.#setFollowing(true);
  }

  // -- chunks

  #build() {
    this.observer.disconnect();
    const { messages } = this.#talk;
    this.#count = messages.length;
    this.#chunks = this.#split(messages);
    for (const chunk of this.#chunks.slice(-2)) this.#fill(chunk);
    this.list.replaceChildren(...this.#chunks.map((chunk) => chunk.element));
  }

  /** Entries in chunks: the last ones are full, so that the next page of older ones makes new ones. */
  #split(entries) {
    const chunks = [];
    for (let end = entries.length; end > 0; end -= CHUNK) {
      const start = Math.max(0, end - CHUNK);
      chunks.unshift(this.#chunk(entries.slice(start, end), entries[start - 1]));
    }
    return chunks;
  }

  #chunk(entries, before) {
    const chunk = { entries, before, filled: false, element: element("ol") };
    chunk.element.chunk = chunk;
    this.#guess(chunk);
    this.observer.observe(chunk.element);
    return chunk;
  }

  #guess(chunk) {
    chunk.filled = false;
    chunk.element.replaceChildren();
    chunk.element.style.height = `${Math.round(chunk.entries.length * (this.#measured.px / this.#measured.lines))}px`;
  }

  #fill(chunk) {
    let { before } = chunk;
    chunk.filled = true;
    chunk.element.style.height = "";
    const made = [];
    for (const entry of chunk.entries) {
      made.push(...this.#make(entry, before));
      before = entry;
    }
    chunk.element.replaceChildren(...made);
  }

  #empty(chunk) {
    if (chunk.element.contains(document.activeElement)) return;
    const px = chunk.element.getBoundingClientRect().height;
    this.#measured.px += px;
    this.#measured.lines += chunk.entries.length;
    chunk.filled = false;
    chunk.element.replaceChildren();
    chunk.element.style.height = `${px}px`;
  }

  #make(entry, before) {
    const made = lines(entry, before, this.#talk, this.talks, this.ui.fillHole);
    this.#elements.set(entry, made);
    return made;
  }

  #near(seen) {
    const change = seen.filter(({ target, isIntersecting }) => target.isConnected && target.chunk.filled !== isIntersecting);
    if (!change.length) return;
    this.#keepPlace(() => {
      for (const { target, isIntersecting } of change) {
        if (isIntersecting) this.#fill(target.chunk);
        else this.#empty(target.chunk);
      }
    });
  }

  // -- the place where one reads

  #scrolled() {
    const { box } = this;
    this.#setFollowing(box.scrollHeight - box.scrollTop - box.clientHeight < END_PX);
    if (box.scrollTop < OLDER_PX) this.ui.askOlder();
  }

  #setFollowing(following) {
    if (this.following === following) return;
    this.following = following;
    this.ui.following(following);
  }

  /** The line at the top of what is seen, and how far down it stands. */
  #place() {
    const top = this.box.getBoundingClientRect().top;
    const below = (one) => one.getBoundingClientRect().bottom > top;
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (below(this.#chunks[middle].element)) high = middle;
      else low = middle + 1;
    }
    const chunk = this.#chunks[low];
    if (!chunk) return null;
    const at = [...chunk.element.children].find((one) => one.dataset.seq && below(one)) ?? chunk.element;
    return { seq: Number(at.dataset.seq ?? chunk.entries[0].seq), px: at.getBoundingClientRect().top - top };
  }

  #return(place) {
    const chunk = place && this.#chunks.find(({ entries }) => entries.at(-1).seq >= place.seq);
    if (!chunk) return this.toEnd();
    if (!chunk.filled) this.#fill(chunk);
    const at = [...chunk.element.children].find((one) => Number(one.dataset.seq) >= place.seq) ?? chunk.element;
    this.box.scrollTop += at.getBoundingClientRect().top - this.box.getBoundingClientRect().top - place.px;
    this.#scrolled();
  }

  #keepPlace(change) {
    if (this.following) {
      change();
      return this.toEnd();
    }
    const place = this.#place();
    change();
    this.#return(place);
  }
}
