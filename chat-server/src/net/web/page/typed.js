// What a typed text asks for, as in the client for terminals.

const SHORT = { h: "help", l: "who", t: "time", r: "record", q: "quit" };
const SAME = { msg: "tell", list: "who" };
export const NAMES = ["help", "join", "kick", "nick", "part", "password", "query", "quit", "record", "register", "switch", "tell", "time", "topic", "unregister", "who"];

/** `{ say }`, or `{ name, rest }` of a command, or `{ unknown }`. */
export function parse(text) {
  if (/^(\/\/|\.\.)/.test(text)) return { say: text.slice(1) };
  const [, short, rest = ""] = /^\.(\p{L})(?:\s+([^]*))?$/u.exec(text) ?? [];
  if (short) {
    const letter = short.toLowerCase();
    return Object.hasOwn(SHORT, letter) ? { name: SHORT[letter], rest } : { unknown: `.${short}` };
  }
  if (!text.startsWith("/")) return { say: text };
  const told = /^\/(?:tell|msg):([^:\s]+):([^]+)$/i.exec(text);
  if (told) return { name: "tell", rest: `${told[1]} ${told[2]}` };
  const [, word, more] = /^\/(\S*)\s*([^]*)$/.exec(text);
  const lower = word.toLowerCase();
  const name = Object.hasOwn(SAME, lower) ? SAME[lower] : lower;
  return NAMES.includes(name) ? { name, rest: more } : { unknown: `/${word}` };
}
