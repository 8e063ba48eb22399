// Makes elements. Text only ever becomes text: nothing here, or on this page, reads HTML from a string.

/** element("p", {class: "quiet"}, "text", child, ...); null children are left out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child != null && child !== ""));
  return made;
}

export const byId = (id) => document.getElementById(id);

const RANGE = /E(\d+)(?:\s*(?:-|–|to|through)\s*E(\d+))?/g;

/** E-numbers of a text: {from, to, start, end} for each "E3" and "E3 to E7". */
export function* numbers(text) {
  for (const found of text.matchAll(RANGE)) {
    const [from, to] = [Number(found[1]), Number(found[2] ?? found[1])];
    yield { from: Math.min(from, to), to: Math.max(from, to), start: found.index, end: found.index + found[0].length };
  }
}

/** Sentences of a text with what is between them; joined they are the text again. */
export const sentences = (text) => text.match(/[^.!?\n]*(?:[.!?](?!\s|$)[^.!?\n]*)*[.!?]*\s*/g).filter(Boolean);
