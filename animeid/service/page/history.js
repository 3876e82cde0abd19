// The pictures of this visit, the last first; nothing of them outlives the tab.

import { find, icon, make, put } from "./dom.js";
import { percent, say } from "./words.js";

const MOST = 200;
const STEPS = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };

export class History {
  #items = [];
  #rows = new Map();

  /**
   * @param nameOf says an answer's name to the reader.
   * @param chosen is told of the item that is looked at.
   * @param dropped is told of an item that is forgotten.
   */
  constructor(nameOf, chosen, dropped) {
    this.list = find("history-list");
    this.nameOf = nameOf;
    this.onChosen = chosen;
    this.onDropped = dropped;
    this.chosen = null;
    this.list.addEventListener("keydown", (event) => this.#key(event));
  }

  get all() {
    return this.#items;
  }

  add(item) {
    const row = make("li", { role: "option", tabindex: -1, onclick: () => this.choose(item, true) });
    this.#items.unshift(item);
    this.#rows.set(item, row);
    this.list.prepend(row);
    find("history").hidden = false;
    this.show(item);
    while (this.#items.length > MOST) this.drop(this.#items.at(-1));
  }

  drop(item) {
    const place = this.#items.indexOf(item);
    this.#items.splice(place, 1);
    this.#rows.get(item).remove();
    this.#rows.delete(item);
    URL.revokeObjectURL(item.picture);
    if (item.thumbnail) URL.revokeObjectURL(item.thumbnail);
    this.onDropped(item);
    find("history").hidden = this.#items.length === 0;
    if (item === this.chosen) this.choose(this.#items[Math.min(place, this.#items.length - 1)] ?? null, false);
  }

  choose(item, withFocus) {
    this.chosen = item;
    for (const [other, row] of this.#rows) {
      row.setAttribute("aria-selected", String(other === item));
      row.tabIndex = other === item ? 0 : -1;
    }
    const row = this.#rows.get(item);
    if (withFocus) row?.focus();
    if (row) this.#reveal(row);
    this.onChosen(item);
  }

  /** Goes to the one before (-1) or after (1). */
  step(by, withFocus) {
    const place = this.#items.indexOf(this.chosen) + by;
    if (place >= 0 && place < this.#items.length) this.choose(this.#items[place], withFocus);
  }

  /** Moves the list alone, and not the page. */
  #reveal(row) {
    const { offsetLeft: left, offsetWidth: width } = row;
    const { scrollLeft: from, clientWidth: seen } = this.list;
    this.list.scrollLeft = Math.max(left + width - seen, Math.min(left, from));
  }

  /** Draws an item's row. */
  show(item) {
    const row = this.#rows.get(item);
    if (!row) return;
    const picture = item.thumbnail
      ? make("img", { src: item.thumbnail, alt: "", width: 72, height: 72 })
      : make("span", { class: "no-picture" }, icon("picture"));
    const state = this.#state(item);
    put(row, picture, make("span", { class: "caption" }, state), mark(item));
    row.setAttribute("aria-label", `${item.name}: ${state}`);
    row.title = item.name;
    row.dataset.state = item.state;
  }

  showAll() {
    this.#items.forEach((item) => this.show(item));
  }

  #state(item) {
    if (item.state !== "answered") return say(`state_${item.state}`);
    return `${this.nameOf(item.answer)} ${percent(item.answer.confidence, 0)}`;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in STEPS) this.step(STEPS[event.key], true);
    else if (event.key === "Home") this.choose(this.#items[0], true);
    else if (event.key === "End") this.choose(this.#items.at(-1), true);
    else if (event.key === "Delete" && this.chosen) this.drop(this.chosen);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** A sign beside the picture, which says what its words say. */
function mark(item) {
  if (item.state === "failed") return make("span", { class: "mark bad" }, icon("alert"));
  if (item.state !== "answered") return make("span", { class: "mark" }, icon("clock"));
  return item.verdict ? make("span", { class: "mark good" }, icon("check")) : null;
}
