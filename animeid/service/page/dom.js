// Elements, without markup in strings.

const SVG = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

/** An element with attributes (those that begin with "on" are listeners; null and false are left out) and children. */
export function make(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same, of SVG. */
export function draw(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** A symbol of icons.svg. */
export function icon(name) {
  const href = new URL(`icons.svg#${name}`, import.meta.url);
  return draw("svg", { class: "icon", "aria-hidden": "true" }, draw("use", { href }));
}

/** Puts children in the place of those that an element has. */
export function put(element, ...children) {
  element.replaceChildren(...children.filter(isThere));
}

const isThere = (child) => child !== null && child !== undefined && child !== false;

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (!isThere(value)) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(isThere));
  return element;
}
