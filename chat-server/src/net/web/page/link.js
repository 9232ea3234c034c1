// The connection: opened with a hello, kept alive, and taken up again when it is lost.

const FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 30_000;
/** The server's own patience is 60 s, twice. */
const SILENCE_MS = 60_000, DEAD_MS = 90_000;
/** How long a connection may take to open, and one in doubt to give a sign of life. */
const PATIENCE_MS = 10_000;

export class Link {
  /** `hello()` is what to begin with; `on(event)` gets what comes, `lost()` is called when it is lost. */
  constructor(hello, on, lost) {
    Object.assign(this, { hello, on, lost, wait: FIRST_WAIT_MS, wanted: false, socket: null });
    setInterval(() => this.#watch(), 5_000);
    addEventListener("online", () => this.now());
    addEventListener("offline", () => this.#doubt());
    document.addEventListener("visibilitychange", () => document.hidden || this.#doubt());
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

  /** Tries again at once, where it is lost. */
  now() {
    if (!this.wanted) return;
    this.wait = FIRST_WAIT_MS;
    if (this.socket) this.#doubt();
    else this.#open();
  }

  send(object) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(object));
  }

  #open() {
    clearTimeout(this.timer);
    const address = new URL("ws", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = this.socket = new WebSocket(address);
    socket.onopen = () => socket === this.socket && this.send(this.hello());
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      this.heard = Date.now();
      const event = JSON.parse(data);
      if (event.type === "welcome") Object.assign(this, { greeted: true, wait: FIRST_WAIT_MS });
      if (event.type === "ping") this.send({ type: "pong", id: event.id });
      else this.on(event);
    };
    socket.onclose = () => this.#close(socket);
    Object.assign(this, { heard: Date.now(), greeted: false });
  }

  /** It is lost: closed by the other side, or silent for too long. */
  #close(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    socket.close();
    if (!this.wanted) return;
    this.timer = setTimeout(() => this.#open(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    this.lost();
  }

  /** After a sleep, or on another network: it has to show that it is alive. */
  #doubt() {
    if (!this.socket || !this.greeted) return;
    const asked = Date.now();
    const socket = this.socket;
    this.send({ type: "ping" });
    setTimeout(() => this.heard < asked && this.#close(socket), PATIENCE_MS);
  }

  #watch() {
    if (!this.socket) return;
    const silence = Date.now() - this.heard;
    const dead = this.socket.readyState === WebSocket.OPEN ? DEAD_MS : PATIENCE_MS;
    if (silence > dead) this.#close(this.socket);
    else if (silence > SILENCE_MS) this.send({ type: "ping" });
  }
}
