// How pictures come in: dropped, pasted, chosen or taken.

import { find } from "./dom.js";

/** Has all ways work.
 *
 * @param take is given the files of each time, at least one.
 * @param nothing is called when what was dropped holds no file.
 */
export function intake(take, nothing) {
  const given = (files) => (files.length > 0 ? take([...files]) : nothing());
  for (const id of ["choose", "camera"]) {
    const input = find(`${id}-input`);
    find(id).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      if (input.files.length > 0) take([...input.files]);
      input.value = ""; // the same picture may be chosen again
    });
  }
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData.files;
    if (files.length > 0) {
      event.preventDefault();
      take([...files]);
    }
  });
  dropping(given);
}

function dropping(given) {
  let inside = 0;
  const show = (depth) => {
    inside = Math.max(0, depth);
    document.documentElement.classList.toggle("dropping", inside > 0);
  };
  document.addEventListener("dragenter", (event) => {
    event.preventDefault();
    show(inside + 1);
  });
  document.addEventListener("dragleave", () => show(inside - 1));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    show(0);
    given(event.dataTransfer.files);
  });
}
