// The connection: opened with a hello, kept alive, and taken up again when it is lost.

const FIRST_WAIT_MS = 500, LONGEST_WAIT_MS = 30_000, SILENCE_MS = 60_000;

export class Link {
  /** `hello()` is what to begin with; `on(event)` gets what comes, `lost()` is called when it is lost. */
  constructor(hello, on, lost) {
    Object.assign(this, { hello, on, lost, wait: FIRST_WAIT_MS, wanted: false, socket: null });
    setInterval(() => this.#watch(), 5_000);
    addEventListener("online", () => this.wanted && !this.socket && this.#open());
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

  send(object) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(object));
  }

  #open() {
    clearTimeout(this.timer);
    const address = new URL("ws", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = this.socket = new WebSocket(address);
    socket.onopen = () => this.send(this.hello());
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      this.heard = Date.now();
      const event = JSON.parse(data);
      if (event.type === "welcome") this.wait = FIRST_WAIT_MS;
      if (event.type === "ping") this.send({ type: "pong", id: event.id });
      else this.on(event);
    };
    socket.onclose = () => {
      if (socket !== this.socket) return;
      this.socket = null;
      if (!this.wanted) return;
      this.lost();
      this.timer = setTimeout(() => this.#open(), this.wait * (0.75 + Math.random() / 2));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    };
    this.heard = Date.now();
  }

  #watch() {
    if (!this.socket) return;
    const silence = Date.now() - this.heard;
    if (silence > 1.5 * SILENCE_MS) this.socket.close();
    else if (silence > SILENCE_MS) this.send({ type: "ping" });
  }
}
