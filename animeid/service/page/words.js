// Words and figures in the reader's language.

import { keep } from "./kept.js";

const listeners = [];
let words = {};

export const language = () => document.documentElement.lang;

/** A sentence of the language's file, with values in the places of {name}. */
export function say(key, values = {}) {
  const text = words[key];
  if (text === undefined) throw new Error(`words/${language()}.json has no ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

export const has = (key) => key in words;

export function figure(value, digits = 0) {
  return new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value);
}

/** The same with all of its digits, so that figures below one another can be compared. */
export function fixed(value, digits, style = "decimal") {
  const kind = { style, minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(language(), kind).format(value);
}

/** A share of 1; what is not 0 never reads as 0. */
export function percent(share, digits = 1) {
  const least = 10 ** -(digits + 2);
  return share > 0 && share < least / 2 ? `< ${fixed(least, digits, "percent")}` : fixed(share, digits, "percent");
}

/** Reads the words of the language that the page has now, and puts them where they belong. */
export async function begin() {
  const answer = await fetch(new URL(`words/${language()}.json`, import.meta.url));
  words = await answer.json();
  fill(document);
  document.documentElement.dataset.ready = "";
  if (document.readyState === "complete") loaded();
  else window.addEventListener("load", loaded, { once: true });
}

/** From now on letters may take their time. */
function loaded() {
  document.documentElement.dataset.loaded = "";
}

export async function speak(chosen) {
  document.documentElement.lang = chosen;
  keep("language", chosen);
  await begin();
  for (const listener of listeners) listener();
}

/** Is called after another language was chosen. */
export const onLanguage = (listener) => listeners.push(listener);

function fill(root) {
  for (const place of root.querySelectorAll("[data-word]")) place.textContent = say(place.dataset.word);
  for (const place of root.querySelectorAll("[data-label]")) place.setAttribute("aria-label", say(place.dataset.label));
  for (const place of root.querySelectorAll("[data-hint]")) place.setAttribute("placeholder", say(place.dataset.hint));
}
