// Single keys that work wherever nothing is being typed; they can be switched off (WCAG 2.1.4).

import { find } from "./dom.js";
import { isOn } from "./look.js";

const TYPED = "input:not([type=checkbox]), select, textarea";

/** @param does what the keys do: `step(by)`, `offer(place)`, `none()`, and `ready()`, whether there is an answer. */
export function listen(does) {
  document.addEventListener("keydown", (event) => {
    const isElsewhere = event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]");
    if (isElsewhere || event.target.closest?.(TYPED)) return;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      does.step(event.key === "ArrowUp" ? -1 : 1);
      event.preventDefault();
    } else if (isOn("single-keys")) single(event, does);
  });
}

function single(event, does) {
  if (event.key === "?") find("open-settings").click();
  else if (!does.ready()) return;
  else if (event.key === "0") does.none();
  else if (/^[1-9]$/.test(event.key)) does.offer(Number(event.key) - 1);
  else {
    // The letter itself goes into the field, as does the first of an input method.
    if (/^[\p{L}\p{M}]$/u.test(event.key) || event.key === "Process") find("correction").focus();
    return;
  }
  event.preventDefault();
}
