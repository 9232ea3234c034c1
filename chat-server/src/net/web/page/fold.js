// Folds names (PROTOCOL.md, 2.2 Comparison of names) and finds mentions (PROTOCOL.md, 2.6 Mentions).

/** Full case folding. Lower, upper and lower case agree with it except for dotless i and Cherokee. */
const folded = (text) => text.split("ı").map((part) => part.toLowerCase().toUpperCase().toLowerCase()).join("ı")
  .replaceAll("ς", "σ").replace(/[\u13f8-\u13fd\uab70-\uabbf]/g, (c) => c.toUpperCase());

/** Returns the form by which names are compared: compatibility caseless matching (Unicode, D146), composed,
 * without default-ignorable code points. */
export function fold(name) {
  if (/^[\x00-\x7f]*$/.test(name)) return name.toLowerCase();
  const once = folded(name.replace(/\p{DI}/gu, "").normalize("NFD")).normalize("NFKC");
  return folded(once).normalize("NFKC");
}

const PART_OF_WORD = /[\p{L}\p{M}\p{N}_]/u;

/** Returns whether `text` has `nick` as a whole word, with or without `@`. */
export function mentions(text, nick) {
  const [inside, wanted] = [fold(text), fold(nick)];
  if (!wanted) return false;
  for (let at = inside.indexOf(wanted); at >= 0; at = inside.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    // A code point outside of the basic plane takes two places.
    const before = at && String.fromCodePoint(inside.codePointAt(at > 1 && inside.codePointAt(at - 2) > 0xffff ? at - 2 : at - 1));
    const behind = end < inside.length && String.fromCodePoint(inside.codePointAt(end));
    if (!(before && PART_OF_WORD.test(before)) && !(behind && PART_OF_WORD.test(behind))) return true;
  }
  return false;
}
