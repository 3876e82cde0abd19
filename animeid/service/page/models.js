// The models that answer, and which of them is asked.

import { asJson } from "./api.js";
import { find, make } from "./dom.js";
import { figure, percent, say } from "./words.js";

const SHOWN = 7;
export const short = (version) => version.slice(0, SHOWN);

/** The picker of models and versions. */
export class Models {
  #list = { aliases: {}, versions: [] };

  /** @param changed is called when another one is picked. */
  constructor(changed) {
    this.select = find("model");
    this.select.addEventListener("change", () => {
      this.#about();
      changed();
    });
  }

  /** What requests name as their model. */
  get chosen() {
    return this.select.value || "default";
  }

  get version() {
    return this.#list.aliases[this.chosen] ?? this.chosen;
  }

  facts(version) {
    return this.#list.versions.find((one) => one.version === version);
  }

  /** Whether an answer of a version by a name is what this list says; otherwise the service has changed. */
  fits(model, version) {
    return (this.#list.aliases[model] ?? model) === version;
  }

  async read() {
    this.#list = await asJson("models");
    this.show();
  }

  show() {
    const before = this.chosen;
    const { aliases, versions } = this.#list;
    const option = (value, label) => make("option", { value }, label);
    const named = Object.entries(aliases).map(([alias, version]) => option(alias, `${alias} · ${short(version)}`));
    const bare = versions.map(({ version }) => option(version, short(version)));
    this.select.replaceChildren(
      make("optgroup", { label: say("models_named") }, ...named),
      make("optgroup", { label: say("models_versions") }, ...bare),
    );
    this.select.value = aliases[before] || this.facts(before) ? before : "default";
    this.#about();
  }

  #about() {
    const facts = this.facts(this.version);
    if (!facts) return;
    const rows = [
      ["about_version", facts.version],
      ["about_run", facts.run_id],
      ["about_network", facts.architectures.join(", ")],
      ["about_characters", figure(facts.classes)],
      ["about_pictures", figure(facts.training_pictures)],
      ["about_size", `${facts.size[1]} × ${facts.size[0]}`],
      ["about_engine", `${facts.engine}, ${facts.precision}`],
      ["about_unknown", this.#list.unknown_below > 0 && percent(this.#list.unknown_below)],
      ["about_accuracy", interval(facts.acc_macro, facts.acc_macro_ci)],
      ["about_f1", interval(facts.f1_macro, facts.f1_macro_ci)],
    ];
    const known = rows.filter(([, value]) => value);
    find("about").replaceChildren(
      ...known.flatMap(([key, value]) => [make("dt", {}, say(key)), make("dd", {}, value)]),
    );
  }
}

/** A share with its interval, or null where it was not measured. */
function interval(value, bounds) {
  if (value === null) return null;
  return bounds ? `${percent(value)} (${percent(bounds[0])} – ${percent(bounds[1])})` : percent(value);
}
