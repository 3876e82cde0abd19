"use strict";
(() => {
  const table = document.getElementById("class-table");
  if (!table) return;
  const body = table.tBodies[0], rows = [...body.rows], found = document.getElementById("found");
  document.getElementById("search").addEventListener("input", (event) => {
    const wanted = event.target.value.normalize("NFKC").toLowerCase();
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.cells[0].textContent.normalize("NFKC").toLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    found.textContent = wanted ? `${shown} of ${rows.length} classes` : "";
  });
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => heading.firstElementChild.addEventListener("click", () => {
    const rises = heading.getAttribute("aria-sort") !== "ascending", numeric = heading.dataset.key === "number";
    const value = (row) => numeric ? Number(row.cells[column].dataset.value) : row.cells[column].textContent;
    const compare = (a, b) => numeric ? value(a) - value(b) : value(a).localeCompare(value(b));
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", rises ? "ascending" : "descending");
    body.append(...rows.sort((a, b) => rises ? compare(a, b) : compare(b, a)));
  }));
})();
