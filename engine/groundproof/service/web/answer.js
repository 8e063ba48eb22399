// The text beside the map: what was asked, what came, what weakens it. Knows the words of a job's events.
// Refuses to know requests and maps: whoever makes it is told what the person points at.

import { element, numbers, sentences } from "./dom.js";
import { look, swatch, word } from "./verdicts.js";

const MOST_IN_RANGE = 500;

const metres = (value) => (value < 10 ? value.toFixed(1) : value.toFixed(0));

function size({ width_m: width, height_m: height, box_px: box }) {
  if (width != null) return `${metres(width)} × ${metres(height)} m`;
  return `${(box[2] - box[0]).toFixed(0)} × ${(box[3] - box[1]).toFixed(0)} px`;
}

/** One answer (of one scene or area) and its evidence. */
class Part {
  constructor(answerId, owner) {
    this.id = answerId;
    this.owner = owner;
    this.items = new Map(); // key -> {evidence, item}
    this.live = 0; // of them not final
    this.title = element("p", { class: "scene-name", hidden: true });
    this.line = element("p", { class: "answer-line", hidden: true });
    this.weak = element("ul", { class: "weak", hidden: true, "aria-label": "What weakens the answer" });
    this.cover = element("p", { class: "coverage quiet", hidden: true });
    this.synthesis = element("div", { class: "synthesis", hidden: true });
    this.count = element("span", { class: "quiet" });
    this.heading = element("h3", { hidden: true }, "Evidence ", this.count);
    this.list = element("ol", { class: "evidence" });
    this.root = element(
      "article",
      { "data-answer": answerId },
      this.title,
      this.line,
      this.weak,
      this.cover,
      this.synthesis,
      this.heading,
      this.list,
    );
  }

  add(evidence) {
    if (evidence.final) this.#forgetLive();
    const item = this.#item(evidence);
    const before = this.items.get(evidence.key);
    if (before) before.item.replaceWith(item);
    else {
      this.list.append(item);
      if (!evidence.final) this.live += 1;
    }
    this.items.set(evidence.key, { evidence, item });
    this.#counted();
  }

  answered({ answer, scene }) {
    this.#forgetLive();
    this.title.textContent = scene;
    this.line.textContent = answer || "No answer";
    this.line.hidden = false;
    this.#counted();
  }

  synthesised(text) {
    this.synthesis.replaceChildren(element("h3", {}, "Why"), this.linked(text));
    this.synthesis.hidden = !text;
  }

  covered(coverage) {
    this.cover.textContent = coverage.sentence;
    this.cover.hidden = false;
    if (coverage.failed > 0) this.#weakens(element("span", {}, `It ${coverage.sentence}.`));
  }

  audited(findings) {
    const rest = findings.filter((finding) => finding.severity === "info");
    for (const { severity, sentence, kind, evidence } of findings) {
      // Coverage says it already, with the numbers.
      if (severity === "info" || (kind === "coverage" && !this.weak.hidden)) continue;
      const links = evidence.length ? this.linked(` ${evidence.join(", ")}`, "span") : null;
      this.#weakens(element("span", {}, sentence, links));
    }
    if (rest.length) {
      const list = element("ul", {}, ...rest.map(({ sentence }) => element("li", {}, sentence)));
      this.cover.after(element("details", { class: "quiet" }, element("summary", {}, "Also checked"), list));
    }
  }

  says(sentence) {
    return [...this.weak.children].some((item) => item.textContent.includes(sentence));
  }

  /** A text whose E-numbers are links and whose sentences know their boxes. */
  linked(text, name = "p") {
    const paragraph = element(name);
    for (const sentence of sentences(text)) {
      const all = [...numbers(sentence)];
      if (!all.length) {
        paragraph.append(sentence);
        continue;
      }
      const keys = () => all.flatMap((range) => this.#keys(range));
      const span = element("span", {
        class: "sentence",
        onpointerenter: () => this.owner.on.hover(keys()),
        onpointerleave: () => this.owner.on.hover([]),
        onclick: () => this.owner.on.fly(keys()),
      });
      let at = 0;
      for (const range of all) {
        span.append(sentence.slice(at, range.start), this.#link(sentence.slice(range.start, range.end), range));
        at = range.end;
      }
      span.append(sentence.slice(at));
      paragraph.append(span);
    }
    return paragraph;
  }

  #link(text, range) {
    const pick = (event) => {
      event.stopPropagation();
      this.owner.pick(this.#keys(range));
    };
    const hover = () => this.owner.on.hover(this.#keys(range));
    return element("button", { type: "button", class: "link", onclick: pick, onfocus: hover, onpointerenter: hover }, text);
  }

  #keys({ from, to }) {
    const keys = [];
    for (let n = from; n <= Math.min(to, from + MOST_IN_RANGE); n++) {
      const key = `${this.id}:E${n}`;
      if (this.items.has(key)) keys.push(key);
    }
    return keys;
  }

  #item(evidence) {
    const { key, evidence_id: number, quote, label, final, counted } = evidence;
    const hover = () => this.owner.on.hover([key]);
    const leave = () => this.owner.on.hover([]);
    const button = element(
      "button",
      {
        type: "button",
        class: "go",
        onclick: () => this.owner.pick([key]),
        onpointerenter: hover,
        onpointerleave: leave,
        onfocus: hover,
        onblur: leave,
      },
      element("span", { class: "number" }, number ?? "·"),
      element("q", { title: "What the model wrote of one tile: places such as “upper left” are places in that tile." }, quote || label || "no words"),
      element(
        "span",
        { class: "facts" },
        label && quote && !quote.includes(label) ? `${label} · ` : "",
        `${size(evidence)} · `,
        swatch(look(evidence)),
        ` ${word(evidence)}`,
        final && !counted ? ", not counted" : "",
      ),
    );
    const choose = final
      ? element("input", {
          type: "checkbox",
          "aria-label": `Ask about ${number}`,
          title: `Ask about ${number}`,
          value: number,
          onchange: () => this.owner.on.chosen(this.chosen()),
        })
      : null;
    return element("li", { "data-key": key, class: final ? "" : "live" }, button, choose);
  }

  chosen() {
    return { answer_id: this.id, evidence: [...this.list.querySelectorAll("input:checked")].map((one) => one.value) };
  }

  #weakens(content) {
    this.weak.append(element("li", {}, element("b", { "aria-hidden": "true" }, "!"), content));
    this.weak.hidden = false;
  }

  #forgetLive() {
    if (!this.live) return;
    this.live = 0;
    for (const [key, { evidence, item }] of this.items) {
      if (evidence.final) continue;
      item.remove();
      this.items.delete(key);
      this.owner.on.gone(key);
    }
  }

  #counted() {
    this.heading.hidden = false;
    this.count.textContent = this.live ? `${this.items.size} so far` : `${this.items.size || "none"}`;
  }
}

export class AnswerView {
  #parts = new Map();
  #plans = new Set();
  #notes = new Set();

  /**
   * on.hover(keys), on.fly(keys), on.show(evidence): before flying; on.gone(key): a live box was merged;
   * on.chosen({answer_id, evidence}): ticked for a follow-up.
   */
  constructor(root, on) {
    this.root = root;
    this.on = on;
  }

  /** Begin with a question; what was there goes. */
  begin(question) {
    this.#parts.clear();
    this.#plans.clear();
    this.#notes.clear();
    this.bar = element("progress", { max: 1, "aria-label": "Tiles answered" });
    this.stage = element("p", { class: "stage", "aria-live": "polite" }, "Waiting for its turn.");
    this.notes = element("ul", { class: "notes quiet", hidden: true });
    this.plan = element("details", { class: "plan", open: true, hidden: true }, element("summary", {}, "Plan"));
    this.parts = element("div", {});
    this.root.replaceChildren(
      element("h2", { class: "asked" }, question),
      element("div", { class: "running" }, this.bar, this.stage),
      this.parts,
      this.plan,
      this.notes,
    );
    this.root.hidden = false;
  }

  progress({ answered, tiles, failed, stage }, left) {
    if (tiles) {
      this.bar.max = tiles;
      this.bar.value = answered;
    }
    const parts = [
      tiles ? `${answered} of ${tiles} ${tiles === 1 ? "tile" : "tiles"}` : null,
      failed ? `${failed} failed` : null,
      left,
      stage,
    ];
    this.stage.textContent = parts.filter(Boolean).join(" · ");
  }

  says(text) {
    if (this.#plans.has(text)) return;
    this.#plans.add(text);
    this.plan.hidden = false;
    if (this.#plans.size <= 3) this.plan.append(element("p", {}, text));
    else this.plan.querySelector("summary").textContent = `Plan (3 of ${this.#plans.size} wordings)`;
  }

  note(text) {
    if (this.#notes.has(text)) return;
    this.#notes.add(text);
    this.notes.append(element("li", {}, text));
    this.notes.hidden = false;
  }

  part(answerId) {
    if (!this.#parts.has(answerId)) {
      const part = new Part(answerId, this);
      this.#parts.set(answerId, part);
      this.parts.append(part.root);
      const several = this.#parts.size > 1;
      if (several) for (const one of this.#parts.values()) one.title.hidden = false;
    }
    return this.#parts.get(answerId);
  }

  evidence(key) {
    for (const part of this.#parts.values()) if (part.items.has(key)) return part.items.get(key).evidence;
    return null;
  }

  *all() {
    for (const part of this.#parts.values()) for (const { evidence } of part.items.values()) yield evidence;
  }

  /** No more will come. sentence: how it ended, when not with an answer. */
  end(sentence, isError) {
    this.root.querySelector(".running").remove();
    this.plan.open = false;
    for (const item of [...this.notes.children]) {
      const said = [...this.#parts.values()].some((part) => part.says(item.textContent));
      if (said) item.remove(); // it stands beside the answer now
    }
    this.notes.hidden = !this.notes.children.length;
    if (sentence) {
      const line = element("p", { class: isError ? "problem" : "stage", role: isError ? "alert" : "status" }, sentence);
      this.root.querySelector("h2").after(line);
    }
  }

  /** Go to evidence: mark its line, and let the map go there. */
  pick(keys) {
    if (!keys.length) return;
    this.mark(keys);
    this.on.show(this.evidence(keys[0]));
    this.on.fly(keys);
  }

  /** Mark the lines of these boxes, and bring the first into view. */
  mark(keys) {
    for (const item of this.root.querySelectorAll("[aria-current]")) item.removeAttribute("aria-current");
    const items = keys.map((key) => this.#item(key)).filter(Boolean);
    for (const item of items) item.setAttribute("aria-current", "true");
    items[0]?.scrollIntoView({ block: "nearest", behavior: "auto" });
  }

  highlight(keys) {
    for (const item of this.root.querySelectorAll("li.hot")) item.classList.remove("hot");
    for (const key of keys) this.#item(key)?.classList.add("hot");
  }

  #item(key) {
    for (const part of this.#parts.values()) if (part.items.has(key)) return part.items.get(key).item;
    return null;
  }
}
