// The field in which an answer is corrected: a type-ahead over all names, of which only those in sight are drawn.

import { find, make } from "./dom.js";
import { told } from "./names.js";
import { figure, say } from "./words.js";

const HEIGHT = 48; // of a row, as page.css has it
const ABOVE = 3;

/** A combobox as WAI-ARIA describes it. */
export class Correction {
  #names = null;
  #likely = [];
  #found = [];
  #active = -1;

  /** @param chosen is given the name that was chosen. */
  constructor(chosen) {
    this.input = find("correction");
    this.box = find("suggestions");
    this.rows = find("suggestion-rows");
    this.onChosen = chosen;
    this.input.addEventListener("input", () => this.#search());
    this.input.addEventListener("focus", () => this.#search());
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("blur", () => this.close());
    this.box.addEventListener("scroll", () => this.#draw());
    this.box.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
  }

  /** The names there are, and those that the model thought of, likeliest first. */
  use(names, likely) {
    this.#names = names;
    this.#likely = likely;
    if (document.activeElement === this.input && !this.box.hidden) this.#search();
  }

  clear() {
    this.input.value = "";
    this.close();
  }

  /** Opens the field at one of the likely names, which Enter then takes. */
  offer(name) {
    this.input.value = "";
    this.input.focus();
    this.#search();
    this.#go(this.#found.findIndex((one) => one.name === name));
  }

  close() {
    this.box.hidden = true;
    this.#active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  #search() {
    if (!this.#names) return;
    const typed = this.input.value.trim();
    this.#found = this.#names.search(typed, this.#likely);
    if (typed && !this.#names.byName.has(typed))
      this.#found.push({ name: typed, isNew: true, names: {}, series: null });
    this.box.hidden = this.#found.length === 0;
    this.input.setAttribute("aria-expanded", String(!this.box.hidden));
    this.rows.style.height = `${this.#found.length * HEIGHT}px`;
    this.box.scrollTop = 0;
    this.#go(typed ? 0 : -1);
  }

  #go(place) {
    this.#active = place;
    if (place >= 0) {
      const [top, seen] = [place * HEIGHT, this.box.clientHeight];
      if (top < this.box.scrollTop) this.box.scrollTop = top;
      else if (top + HEIGHT > this.box.scrollTop + seen) this.box.scrollTop = top + HEIGHT - seen;
    }
    this.#draw();
    if (place >= 0) this.input.setAttribute("aria-activedescendant", `suggestion-${place}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  #draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / HEIGHT) - ABOVE);
    const last = Math.min(this.#found.length, first + Math.ceil(this.box.clientHeight / HEIGHT) + 2 * ABOVE);
    const places = Array.from({ length: Math.max(0, last - first) }, (_, step) => first + step);
    this.rows.replaceChildren(...places.map((place) => this.#row(place)));
  }

  #row(place) {
    const one = this.#found[place];
    const { own, others, series } = told(one.name, one);
    const beside = one.isNew
      ? [say("correct_new")]
      : [...others, series, say("correct_pictures", { count: figure(one.pictures) })];
    const row = make(
      "li",
      {
        role: "option",
        id: `suggestion-${place}`,
        "aria-selected": String(place === this.#active),
        "aria-setsize": this.#found.length,
        "aria-posinset": place + 1,
        onclick: () => this.#take(place),
      },
      make("span", { class: "own" }, own),
      make("span", { class: "beside" }, beside.filter(Boolean).join(" · ")),
    );
    row.style.transform = `translateY(${place * HEIGHT}px)`;
    return row;
  }

  #take(place) {
    const one = this.#found[place];
    this.clear();
    this.input.blur();
    this.onChosen(one.name);
  }

  #key(event) {
    if (event.isComposing) return; // of an input method, whose keys are its own
    const most = this.#found.length - 1;
    const page = Math.max(1, Math.floor(this.box.clientHeight / HEIGHT) - 1);
    const places = {
      ArrowDown: this.#active >= most ? 0 : this.#active + 1,
      ArrowUp: this.#active <= 0 ? most : this.#active - 1,
      PageDown: Math.min(most, this.#active + page),
      PageUp: Math.max(0, this.#active - page),
    };
    if (event.key === "Escape") {
      this.clear();
      this.input.blur();
    } else if (event.key === "Enter" && this.#active >= 0) this.#take(this.#active);
    else if (event.key in places && most >= 0) {
      if (this.box.hidden) this.#search();
      this.#go(places[event.key]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
