// The answer to the picture that is looked at.

import { pictureOf } from "./api.js";
import { find, icon, make, put } from "./dom.js";
import { short } from "./models.js";
import { told } from "./names.js";
import { figure, fixed, language, percent, say } from "./words.js";

const UNKNOWN = "unknown";
const KEYS = 9;

/** The name of an answer for the reader. */
export function nameOf(answer, names) {
  return answer.character === UNKNOWN
    ? say("unknown")
    : told(answer.character, names?.byName.get(answer.character)).own;
}

/** Draws what is known of an item.
 *
 * @param names of the model that answered; null while they are not known.
 * @param offer is given the name of a row that was pressed.
 * @param again is called where the picture shall be sent again.
 */
export function show(item, names, offer, again) {
  const drawn = `${item.picture} ${language()}`;
  if (find("picture").dataset.drawn !== drawn) put(find("picture"), picture(item));
  find("picture").dataset.drawn = drawn;
  const isShown = Boolean(item.answer) && item.state !== "failed";
  find("verdict").hidden = !isShown;
  const body = isShown ? answered(item.answer, names, offer) : [progress(item, again)];
  put(find("answer-body"), ...body);
  find("answer").setAttribute("aria-busy", String(!isShown && item.state !== "failed"));
  put(find("behind"), ...(isShown ? behind(item.answer, names) : []));
}

function picture(item) {
  const place = make("div", { class: "no-picture" }, icon("picture"), make("p", {}, say("picture_not_drawn")));
  const shown = make("img", { src: item.picture, alt: say("picture_of", { name: item.name }) });
  shown.addEventListener("error", () => shown.replaceWith(place));
  return shown;
}

function progress(item, again) {
  if (item.state !== "failed") {
    const words = item.refusal ? item.refusal.sentence : say(`progress_${item.state}`);
    return make("p", { class: "progress" }, make("span", { class: "spinner", "aria-hidden": "true" }), words);
  }
  const { refusal } = item;
  return make(
    "div",
    { class: "refusal" },
    make("p", {}, icon("alert"), make("span", {}, refusal.sentence)),
    refusal.detail && make("p", { class: "detail", lang: "en" }, refusal.detail),
    make("button", { type: "button", onclick: again }, say("again")),
  );
}

function answered(answer, names, offer) {
  const isUnknown = answer.character === UNKNOWN;
  const rows = answer.names.map((name, place) => row(name, place, names, offer));
  return [
    ...head(answer, names),
    make("ol", { class: isUnknown ? "names none" : "names", "aria-label": say("likeliest") }, ...rows),
  ];
}

function head(answer, names) {
  const first = told(answer.names[0].label, names?.byName.get(answer.names[0].label));
  const confidence = percent(answer.confidence);
  if (answer.character === UNKNOWN) {
    const sentence = say("unknown_sentence", { name: first.own, percent: confidence });
    return [make("h2", { class: "unknown" }, icon("question"), say("unknown")), make("p", { class: "sure" }, sentence)];
  }
  const ahead = answer.names.length > 1 && say("ahead", { points: figure(answer.margin * 100, 1) });
  return [
    make("h2", {}, first.own),
    also(first),
    make("p", { class: "sure" }, make("strong", {}, say("likely", { percent: confidence })), ahead && ` · ${ahead}`),
  ];
}

function also({ others, series }) {
  const words = [...others, series].filter(Boolean);
  return words.length > 0 ? make("p", { class: "also" }, words.join(" · ")) : null;
}

function row({ label, probability }, place, names, offer) {
  const { own, others } = told(label, names?.byName.get(label));
  const bar = make("span", { class: "bar", "aria-hidden": "true" }, make("span", {}));
  bar.firstChild.style.width = `${Math.max(probability * 100, 0.5)}%`;
  return make(
    "li",
    {},
    make(
      "button",
      { type: "button", title: say("row_hint"), onclick: () => offer(label) },
      make("kbd", { "aria-hidden": "true" }, place < KEYS ? String(place + 1) : ""),
      make("span", { class: "name" }, own, others.length > 0 && make("small", {}, others.join(" · "))),
      make("span", { class: "share" }, percent(probability)),
      bar,
    ),
  );
}

function behind(answer, names) {
  const from = say("answered_by", { model: answer.model, version: short(answer.version) });
  const how = say(`source_${answer.source}`, { milliseconds: figure(answer.milliseconds, 0) });
  const facts = make("p", { class: "facts" }, `${from} · ${how}`);
  if (answer.references.length === 0) return [facts];
  const cards = answer.references.map((one) => reference(one, names));
  return [make("h3", {}, say("nearest")), make("ul", { class: "references" }, ...cards), facts];
}

function reference({ label, similarity, picture: path }, names) {
  const { own } = told(label, names?.byName.get(label));
  const shown = make("img", { alt: say("reference_of", { name: own }), width: 120, height: 120 });
  pictureOf(path).then(
    (address) => (shown.src = address),
    () => shown.replaceWith(make("span", { class: "no-picture" }, icon("picture"))),
  );
  return make(
    "li",
    {},
    shown,
    make("span", { class: "name" }, own),
    make("span", { class: "similarity" }, say("similarity", { value: fixed(similarity, 2) })),
  );
}
