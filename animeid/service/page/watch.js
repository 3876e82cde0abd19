// The page that shows how the service does.

import { asJson, asText, Refusal } from "./api.js";
import { bars, columns, Figure, lines } from "./charts.js";
import { find, icon, make } from "./dom.js";
import { askForKey, header } from "./look.js";
import { between, Metrics, quantile } from "./metrics.js";
import { short } from "./models.js";
import { begin, figure, language, onLanguage, percent, say } from "./words.js";

const LENGTH = 90;
const SHOWN = 10;
const MEGABYTE = 2 ** 20;
const DRIFTS = { drift_confidence: "confidence", drift_characters: "characters", drift_distance: "distance" };
const PREDICT = { route: "/predict" };
const past = []; // of each time: when, rates, latency and the queue
let [before, now, state, timer] = [null, null, null, null];

await begin();
const place = find("charts");
const chart = Object.fromEntries(
  ["requests", "latency", "queue", "cache", "drift", "confidence", "mix"].map((key) => [key, new Figure(place, key)]),
);
header(refresh);
find("every").addEventListener("change", refresh);
find("version").addEventListener("change", show);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
new ResizeObserver(show).observe(place);
onLanguage(show);
refresh();

const seconds = () => Number(find("every").value);

async function refresh() {
  clearTimeout(timer);
  if (document.visibilityState === "visible") await read();
  clearTimeout(timer);
  if (seconds() > 0) timer = setTimeout(refresh, seconds() * 1000);
}

async function read() {
  try {
    const [text, health] = await Promise.all([asText("metrics"), asJson("health").catch(unready)]);
    [before, now, state] = [now, { time: performance.now(), metrics: new Metrics(text) }, health];
    if (before) past.push(step());
    if (past.length > LENGTH) past.shift();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401) askForKey();
    state = null;
  }
  show();
}

/** /health of a service that stops is a refusal, which says so as well. */
function unready(error) {
  if (error.status !== 503) throw error;
  return { ready: false, reason: error.detail, alarms: [] };
}

/** What happened since the time before. */
function step() {
  const passed = (now.time - before.time) / 1000;
  const rate = (wanted) =>
    // A service that was started again counts from 0.
    Math.max(0, now.metrics.sum("requests_total", wanted) - before.metrics.sum("requests_total", wanted)) / passed;
  const [all, good, busy] = [rate({}), rate({ status: "200" }), rate({ status: "503" })];
  const bins = between(
    before.metrics.histogram("request_seconds", PREDICT),
    now.metrics.histogram("request_seconds", PREDICT),
  );
  return {
    at: new Date(),
    answered: good,
    busy,
    refused: Math.max(0, all - good - busy),
    half: milliseconds(quantile(bins, 0.5)),
    most: milliseconds(quantile(bins, 0.95)),
    queue: now.metrics.sum("queue"),
    drift: now.metrics.only("drift"),
  };
}

const milliseconds = (value) => (value === null ? null : value * 1000);

function show() {
  showHealth();
  if (!now) return;
  versions();
  const wanted = find("version").value ? { version: find("version").value } : {};
  totals(wanted);
  over("requests", ["answered", "busy", "refused"], 1);
  over("latency", ["half", "most"], 1);
  over("queue", ["queue"], 0);
  over("drift", Object.keys(DRIFTS), 2, (time, part) => highest(time.drift, { of: DRIFTS[part], ...wanted }));
  cache(wanted);
  confidence(wanted);
  mix(wanted);
}

function showHealth() {
  const isGood = state?.ready && state.alarms.length === 0;
  const words = !state
    ? say("health_unreachable")
    : !state.ready
      ? say("health_not_ready", state)
      : say(isGood ? "health_good" : "health_alarms");
  const box = find("health");
  const alarms = (state?.alarms ?? []).map((alarm) => make("li", { lang: "en" }, alarm));
  if (!now && !state && past.length === 0 && !box.dataset.tried) {
    box.dataset.tried = "yes"; // nothing has been asked yet
    return;
  }
  const told = [words, ...(state?.alarms ?? [])].join();
  if (box.dataset.told === told) return; // a live region is not told the same again
  box.dataset.told = told;
  box.className = isGood ? "health good" : "health bad";
  box.replaceChildren(
    icon(isGood ? "check" : "alert"),
    make("div", {}, make("p", {}, words), alarms.length > 0 && make("ul", {}, ...alarms)),
  );
}

function versions() {
  const found = [...now.metrics.by("pictures_total", "version").keys()].sort();
  const picker = find("version");
  const list = [language(), ...found].join(" ");
  if (picker.dataset.list === list) return; // whoever has it open goes on choosing
  picker.dataset.list = list;
  const chosen = picker.value;
  const options = [
    make("option", { value: "" }, say("all_versions")),
    ...found.map((one) => make("option", { value: one }, short(one))),
  ];
  picker.replaceChildren(...options);
  picker.value = found.includes(chosen) ? chosen : "";
}

function totals(wanted) {
  const { metrics } = now;
  const [asked, good] = [
    metrics.sum("requests_total", PREDICT),
    metrics.sum("requests_total", { ...PREDICT, status: "200" }),
  ];
  const [named, unknown] = [metrics.sum("pictures_total", wanted), metrics.sum("unknown_total", wanted)];
  const half = quantile(metrics.histogram("request_seconds", PREDICT), 0.5);
  const share = (part, whole) => (whole > 0 ? ` (${percent(part / whole)})` : "");
  const tiles = [
    ["total_pictures", figure(named)],
    ["total_unknown", figure(unknown) + share(unknown, named)],
    ["total_unreadable", figure(metrics.sum("unreadable_total"))],
    ["total_requests", figure(asked)],
    ["total_refused", figure(asked - good) + share(asked - good, asked)],
    ["total_latency", half === null ? "–" : `${figure(half * 1000, 1)} ms`],
  ];
  find("totals").replaceChildren(
    ...tiles.map(([key, value]) => make("div", {}, make("dt", {}, say(key)), make("dd", {}, value))),
  );
}

/** A chart of what changed over time; `valueAt` says how large a part was. */
function over(key, parts, digits, valueAt = (time, part) => time[part]) {
  const told = (value) => (value === null || value === undefined ? "–" : figure(value, digits));
  const series = parts.map((part) => {
    const values = past.map((time) => valueAt(time, part));
    return { name: say(`series_${part}`), values, now: told(values.at(-1)) };
  });
  const heads = [say("time"), ...series.map(({ name }) => name)];
  const rows = [...past]
    .reverse()
    .map((time) => [time.at.toLocaleTimeString(), ...parts.map((part) => told(valueAt(time, part)))]);
  const label = `${say(`chart_${key}`)}: ${series.map(({ name, now: value }) => `${name} ${value}`).join(", ")}`;
  chart[key].show(past.length > 0 && lines(series, LENGTH, seconds() || 2, label), [heads, ...rows]);
}

/** The highest index of a version, or of all; null where none was measured. */
function highest(metrics, wanted) {
  const found = metrics.of("drift", wanted).map(({ value }) => value);
  return found.length > 0 ? Math.max(...found) : null;
}

function cache(wanted) {
  const sources = now.metrics.by("pictures_total", "source", wanted);
  const rows = ["network", "cache", "shared"].map((source) => ({
    name: say(`source_name_${source}`),
    value: sources.get(source) ?? 0,
  }));
  const kept = {
    entries: figure(now.metrics.sum("cache_entries")),
    megabytes: figure(now.metrics.sum("cache_bytes") / MEGABYTE, 2),
  };
  counted("cache", rows, kept);
}

function mix(wanted) {
  const all = [...now.metrics.by("characters_total", "character", wanted)].map(([name, value]) => ({ name, value }));
  all.sort((one, other) => other.value - one.value);
  const rest = all.slice(SHOWN);
  const others = {
    name: say("others", { count: figure(rest.length) }),
    value: rest.reduce((sum, { value }) => sum + value, 0),
  };
  counted("mix", rest.length > 0 ? [...all.slice(0, SHOWN), others] : all);
}

function counted(key, rows, values = {}) {
  const isEmpty = rows.every(({ value }) => value === 0);
  const table = [[say("what"), say("count")], ...rows.map(({ name, value }) => [name, figure(value)])];
  const label = `${say(`chart_${key}`)}: ${rows.map(({ name, value }) => `${name} ${figure(value)}`).join(", ")}`;
  chart[key].show(!isEmpty && bars(rows, label), table, values);
}

function confidence(wanted) {
  const bins = now.metrics.histogram("confidence", wanted).filter(({ edge }) => edge !== Infinity);
  const span = (place) => `${percent(bins[place - 1]?.edge ?? 0, 0)} – ${percent(bins[place].edge, 0)}`;
  const table = [
    [say("chart_confidence"), say("count")],
    ...bins.map(({ count }, place) => [span(place), figure(count)]),
  ];
  const highest = bins.reduce((best, { count }, place) => (count > (bins[best]?.count ?? 0) ? place : best), 0);
  const isEmpty = bins.every(({ count }) => count === 0);
  const label = isEmpty ? "" : `${say("chart_confidence")}: ${span(highest)}, ${figure(bins[highest].count)}`;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => [share, percent(share, 0)]);
  chart.confidence.show(
    !isEmpty &&
      columns(
        bins.map(({ count }) => count),
        ticks,
        label,
      ),
    table,
  );
}
