// The connection: opened with a hello, kept alive, and taken up again when it is lost.

const FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 30_000;
/** A connection that lasted so long ends the growth of the wait. */
const LASTING_MS = 30_000;
/** Silence after which the page pings. With `TICK_MS` and `PATIENCE_MS` this stays below a minute. */
const SILENCE_MS = 30_000;
/** How long a connection may take to open, a hello with a password and a ping to be answered. */
const OPENING_MS = 10_000, HELLO_MS = 30_000, PATIENCE_MS = 15_000;
const TICK_MS = 5_000;
/** A tick that comes so late, or clocks that differ by so much, mean a sleep or a clock that was set. */
const JUMP_MS = 5_000;

/** Never goes back, but does not count a sleep of the machine in all browsers. */
const now = () => performance.now();

export class Link {
  /** `hello()` is what to begin with; `on(event)` gets what comes, `lost()` is called when it is lost. */
  constructor(hello, on, lost) {
    Object.assign(this, { hello, on, lost, wait: FIRST_WAIT_MS, wanted: false, socket: null });
    this.ticked = [now(), Date.now()];
    setInterval(() => this.#tick(), TICK_MS);
    addEventListener("online", () => this.now());
    addEventListener("offline", () => this.#doubt());
    for (const wakes of ["visibilitychange", "resume"]) document.addEventListener(wakes, () => document.hidden || this.#doubt());
    addEventListener("pageshow", () => this.#doubt());
  }

  start() {
    this.stop();
    this.wanted = true;
    this.wait = FIRST_WAIT_MS;
    this.#open();
  }

  /** Ends it for good. */
  stop() {
    this.wanted = false;
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  /** Tries again at once, where it is lost; an attempt that has not succeeded yet may hang. */
  now() {
    if (!this.wanted) return;
    if (this.socket && this.greeted !== null) return this.#doubt();
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.#open();
  }

  /** Returns whether there is a connection to send on. */
  send(object) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(object));
    return true;
  }

  #open() {
    clearTimeout(this.timer);
    const address = new URL("ws", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = this.socket = new WebSocket(address);
    Object.assign(this, { opened: now(), greeted: null, asked: null });
    socket.onopen = () => socket === this.socket && this.send(this.hello());
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      Object.assign(this, { heard: now(), asked: null });
      const event = JSON.parse(data);
      if (event.type === "welcome") this.greeted = now();
      if (event.type === "ping") this.send({ type: "pong", id: event.id });
      else this.on(event);
    };
    socket.onclose = () => this.#close(socket);
  }

  /** It is lost: closed by the other side, or silent for too long. */
  #close(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    socket.close();
    if (!this.wanted) return;
    // A welcome alone proves nothing: a server may close right behind it.
    if (this.greeted !== null && now() - this.greeted >= LASTING_MS) this.wait = FIRST_WAIT_MS;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#open(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    this.lost();
  }

  /** After a sleep, on another network, or after silence: it has to show that it is alive. */
  #doubt() {
    const { socket } = this;
    if (!socket || this.greeted === null || this.asked !== null) return;
    const asked = this.asked = now();
    this.send({ type: "ping" });
    setTimeout(() => this.asked === asked && this.#close(socket), PATIENCE_MS);
  }

  #tick() {
    const [before, clockBefore] = this.ticked;
    this.ticked = [now(), Date.now()];
    const [gone, clockGone] = [this.ticked[0] - before, this.ticked[1] - clockBefore];
    if (!this.socket) return;
    if (this.greeted === null) {
      const patience = this.socket.readyState === WebSocket.OPEN ? HELLO_MS : OPENING_MS;
      if (now() - this.opened > patience) this.#close(this.socket);
    } else if (gone > TICK_MS + JUMP_MS || Math.abs(clockGone - gone) > JUMP_MS || now() - this.heard > SILENCE_MS) this.#doubt();
  }
}
