// What a typed text asks for, as in the client for terminals.

const SHORT = { h: "help", l: "who", t: "time", r: "record", q: "quit" };
const SAME = { msg: "tell", list: "who" };
export const NAMES = ["help", "join", "kick", "nick", "part", "password", "query", "quit", "record", "register", "switch", "tell", "time", "topic", "unregister", "who"];

/** `{ say }`, or `{ name, rest }` of a command, or `{ unknown }`. */
export function parse(text) {
  if (/^(\/\/|\.\.)/.test(text)) return { say: text.slice(1) };
  const [, short, rest = ""] = /^\.(\p{L})(?:\s+([^]*))?$/u.exec(text) ?? [];
  if (short) return short in SHORT ? { name: SHORT[short], rest } : { unknown: `.${short}` };
  if (!text.startsWith("/")) return { say: text };
  const told = /^\/tell:([^:\s]+):([^]+)$/.exec(text);
  if (told) return { name: "tell", rest: `${told[1]} ${told[2]}` };
  const [, word, more] = /^\/(\S*)\s*([^]*)$/.exec(text);
  const name = Object.hasOwn(SAME, word) ? SAME[word] : word;
  return NAMES.includes(name) ? { name, rest: more } : { unknown: `/${word}` };
}
