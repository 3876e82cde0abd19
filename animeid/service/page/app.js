// The page that names pictures.

import { nameOf, show } from "./answer.js";
import { ask, Refusal } from "./api.js";
import { Correction } from "./correct.js";
import { find } from "./dom.js";
import { History } from "./history.js";
import { intake } from "./intake.js";
import { listen } from "./keys.js";
import { askForKey, header, isOn } from "./look.js";
import { Models } from "./models.js";
import { characters, told } from "./names.js";
import { Sender } from "./sender.js";
import { thumbnail } from "./thumbnails.js";
import { begin, onLanguage, percent, say } from "./words.js";

const LARGE = 2 ** 20;
const LOST = 3;
const known = new Map(); // names by version, once they are here

await begin();
const models = new Models(() => history.chosen && again(history.chosen));
const history = new History(
  (answer) => nameOf(answer, known.get(answer.version)),
  look,
  (item) => sender.drop(item),
);
const sender = new Sender(send, changed);
const correction = new Correction(correct);

header(() => {
  start();
  history.all.filter((item) => item.refusal?.status === 401).forEach(again);
});
intake(take, () => announce(say("nothing_dropped"), true));
listen({
  ready: () => history.chosen?.state === "answered",
  step: (by) => history.step(by, false),
  offer: (place) => offer(history.chosen.answer.names[place]?.label),
  none: () => feedback({ verdict: "wrong" }),
});
find("right").addEventListener("click", () => feedback({ verdict: "right" }));
find("wrong").addEventListener("click", () => feedback({ verdict: "wrong" }));
find("clear").addEventListener("click", () => [...history.all].forEach((item) => history.drop(item)));
onLanguage(() => {
  models.show();
  history.showAll();
  look(history.chosen);
});
look(null);
start();

async function start() {
  try {
    await models.read();
    await names(models.version);
  } catch (error) {
    refused(error);
  }
}

/** The names of a version, which the history and the answer then show. */
async function names(version) {
  const found = await characters(version);
  if (!known.has(version)) {
    known.set(version, found);
    history.showAll();
    if (history.chosen?.answer?.version === version) look(history.chosen);
  }
}

function take(files) {
  const items = files.map((file) => ({ file, name: file.name, picture: URL.createObjectURL(file), thumbnail: null }));
  for (const item of [...items].reverse()) {
    item.state = "waiting";
    history.add(item);
    thumbnail(item.file).then((address) => {
      item.thumbnail = address;
      history.show(item);
    });
  }
  items.forEach((item) => sender.add(item));
  history.choose(items[0], false);
}

function again(item) {
  item.verdict = null;
  sender.add(item);
}

async function send(item) {
  const query = new URLSearchParams({ model: models.chosen });
  if (isOn("consent")) query.set("consent", "true");
  // The file as it is: a smaller copy would be another picture, with another answer.
  const type = item.file.type.startsWith("image/") ? item.file.type : "application/octet-stream";
  const sent = ask(`predict?${query}`, { method: "POST", body: item.file, headers: { "Content-Type": type } });
  const answer = await sent.catch(async (error) => {
    throw await understood(error, item);
  });
  item.answer = await answer.json();
}

/** What a refusal means: one is lost where the service stops listening while a large file is on its way. If that
 * happens again and again, it is not that the service is busy. */
async function understood(error, item) {
  if (error.status !== 0 || item.file.size < LARGE) return error;
  return ask("health/live").then(
    () => new Refusal(item.tries < LOST ? 503 : 413, ""),
    () => error,
  );
}

function changed(item) {
  if (item.state === "answered") {
    if (!models.fits(item.answer.model, item.answer.version)) start();
    // Said once the names are here: who listens hears the sentence once, and in no other language than the rest.
    names(item.answer.version).catch(refused).then(() => announce(sentence(item)));
  } else if (item.state === "failed") refused(item.refusal, item);
  history.show(item);
  if (item === history.chosen) look(item);
}

/** What an answer is, for who listens. */
function sentence({ name: file, answer }) {
  const left = sender.left > 0 ? ` ${say("left", { count: sender.left })}` : "";
  const name = nameOf(answer, known.get(answer.version));
  return say("told", { file, name, percent: percent(answer.confidence, 0) }) + left;
}

function look(item) {
  document.body.className = item === null ? "empty" : "filled";
  find("result").hidden = item === null;
  correction.clear();
  if (item === null) return;
  const found = item.answer && known.get(item.answer.version);
  show(item, found, offer, () => again(item));
  if (found)
    correction.use(
      found,
      item.answer.names.map((name) => name.label),
    );
  thanks(item);
}

const offer = (name) => name && correction.offer(name);

function correct(name) {
  const { answer } = history.chosen;
  feedback(name === answer.character ? { verdict: "right" } : { verdict: "wrong", character: name });
}

async function feedback(said) {
  const item = history.chosen;
  const { request_id, version, picture, character: answered } = item.answer;
  const body = JSON.stringify({ request_id, version, picture, answered, ...said });
  try {
    await ask("feedback", { method: "POST", body, headers: { "Content-Type": "application/json" } });
  } catch (error) {
    refused(error.status === 404 ? new Refusal("feedback", error.detail) : error);
    return;
  }
  item.verdict = said;
  history.show(item);
  if (item === history.chosen) thanks(item);
  announce(thanksFor(item));
}

function thanksFor(item) {
  const { verdict, character } = item.verdict;
  if (verdict === "right") return say("thanks_right");
  if (!character) return say("thanks_wrong");
  return say("thanks_name", { name: told(character, known.get(item.answer.version)?.byName.get(character)).own });
}

function thanks(item) {
  find("thanks").hidden = !item.verdict;
  find("thanks-words").textContent = item.verdict ? thanksFor(item) : "";
  find("right").setAttribute("aria-pressed", String(item.verdict?.verdict === "right"));
  find("wrong").setAttribute("aria-pressed", String(item.verdict?.verdict === "wrong"));
}

function refused(error, item = null) {
  if (!(error instanceof Refusal)) throw error;
  if (error.status === 401) askForKey();
  announce(item ? `${item.name}: ${error.sentence}` : error.sentence, item === null);
}

/** Says something to who listens, and to who looks where it stands nowhere else. */
function announce(sentence, isSeen = false) {
  find("said").textContent = sentence;
  find("notice").hidden = !isSeen;
  if (isSeen) find("notice-words").textContent = sentence;
}
