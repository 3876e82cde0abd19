// The header that both pages share: language, appearance, help and the key.

import { useKey } from "./api.js";
import { find, icon } from "./dom.js";
import { keep, kept } from "./kept.js";
import { language, onLanguage, say, speak } from "./words.js";

const APPEARANCES = ["system", "light", "dark"];

/** Has the controls of the header work.
 *
 * @param unlocked is called when a key was given.
 */
export function header(unlocked) {
  const here = [...document.querySelectorAll("nav a")].find((link) => link.href === location.href.split(/[?#]/)[0]);
  here?.setAttribute("aria-current", "page");
  languages();
  appearances();
  settings(unlocked);
}

/** Whether a setting of the dialog is on. */
export const isOn = (setting) => find(setting)?.checked ?? false;

let isAsked = false;

/** Asks for a key, once for each that was given; the page was refused without. */
export function askForKey() {
  if (isAsked) return;
  isAsked = true;
  const dialog = find("settings");
  if (!dialog.open) dialog.showModal();
  find("key-needed").hidden = false;
  find("key").focus();
}

function languages() {
  const picker = find("language");
  picker.value = language();
  picker.addEventListener("change", () => speak(picker.value));
}

function appearances() {
  const button = find("appearance");
  const show = () => {
    const now = document.documentElement.dataset.appearance ?? "system";
    button.replaceChildren(icon(now));
    button.setAttribute("aria-label", say(`appearance_${now}`));
    button.title = say(`appearance_${now}`);
  };
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.appearance ?? "system";
    const next = APPEARANCES[(APPEARANCES.indexOf(now) + 1) % APPEARANCES.length];
    if (next === "system") delete document.documentElement.dataset.appearance;
    else document.documentElement.dataset.appearance = next;
    keep("appearance", next === "system" ? null : next);
    show();
  });
  onLanguage(show);
  show();
}

function settings(unlocked) {
  const dialog = find("settings");
  find("open-settings").addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  for (const box of dialog.querySelectorAll("input[type=checkbox]")) {
    box.checked = (kept(box.id) ?? (box.defaultChecked ? "on" : "off")) === "on";
    box.addEventListener("change", () => keep(box.id, box.checked ? "on" : "off"));
  }
  find("settings-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const given = find("key").value.trim();
    find("key-needed").hidden = true;
    dialog.close();
    if (given) {
      isAsked = false;
      useKey(given);
      unlocked();
    }
  });
}
