// The names that a model knows, and the search among them.

import { asJson } from "./api.js";
import { language } from "./words.js";

const PAGE = 10_000;
const LIKELY = 100;
const lists = new Map();

/** Letters as they are compared: without case, accents and width, katakana as hiragana, signs as spaces. */
export function fold(text) {
  return text
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\u30a1-\u30f6]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0x60))
    .replace(/[^\p{L}\p{N}\p{M}ー]+/gu, " ")
    .trim();
}

/** The characters of a version; they are asked for once. */
export function characters(version) {
  if (!lists.has(version)) {
    const list = read(version);
    list.catch(() => lists.delete(version));
    lists.set(version, list);
  }
  return lists.get(version);
}

async function read(version) {
  const found = [];
  for (let total = Infinity; found.length < total;) {
    const query = new URLSearchParams({ model: version, start: found.length, limit: PAGE });
    const page = await asJson(`characters?${query}`);
    found.push(...page.characters);
    total = page.characters.length > 0 ? page.total : 0;
  }
  return new Names(found);
}

/** Characters, found by any of their names. */
export class Names {
  constructor(list) {
    this.list = list;
    this.byName = new Map(list.map((one) => [one.name, one]));
    this.order = list.map((_, place) => place).sort((one, other) => list[other].pictures - list[one].pictures);
    this.keys = list.map((one) => [...new Set([one.name, ...Object.values(one.names)].map(fold))]);
  }

  /** Those that fit what was typed, best first; of those that fit equally, likely ones, then well-known ones.
   *
   * @param likely names that the model thought of.
   */
  search(typed, likely) {
    const parts = fold(typed).split(" ").filter(Boolean);
    const rank = new Map(likely.map((name, place) => [name, LIKELY - place]));
    const points = new Float64Array(this.list.length);
    const found = this.order.filter((place) => {
      const fit = Math.max(...this.keys[place].map((key) => fits(key, parts)));
      if (fit < 0) return false;
      points[place] = fit + (rank.get(this.list[place].name) ?? 0);
      return true;
    });
    return found.sort((one, other) => points[other] - points[one]).map((place) => this.list[place]);
  }
}

/** How well a name fits all parts of what was typed; below 0 where it does not. */
function fits(key, parts) {
  let points = 0;
  for (const part of parts) {
    const place = key.indexOf(part);
    if (place < 0) return -1;
    if (place === 0) points += key === part ? 4 : 3;
    else points += key.includes(` ${part}`) ? 2 : 1;
  }
  return points;
}

/** A character's name for the reader, and its others. */
export function told(name, line) {
  const names = line?.names ?? {};
  const own = names[language()] ?? name;
  const others = [...new Set([name, ...Object.values(names)])].filter((other) => other !== own);
  return { own, others, series: line?.series ?? null };
}
