// What is wrong with a page as it is shown now: names of controls, pictures, headings, contrast, room.
() => {
  const faults = [];
  const isShown = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && !element.closest("[aria-hidden=true]");
  const dialog = document.querySelector("dialog[open]");
  const all = [...(dialog ?? document.body).querySelectorAll("*")].filter(isShown);
  const called = (element) =>
    `${element.tagName.toLowerCase()}${element.id ? `#${element.id}` : ""} ${element.className}`;

  const referred = (element, attribute) =>
    (element.getAttribute(attribute) ?? "")
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent ?? "")
      .join("");
  const named = (element) =>
    [element.getAttribute("aria-label") ?? "", referred(element, "aria-labelledby"), element.textContent].some((text) =>
      text.trim(),
    );

  for (const element of all) {
    if (element.matches("button, a[href], summary, [role=option], [role=listbox], [role=img]") && !named(element)) {
      faults.push(`${called(element)} has no name`);
    }
    const isField = element.matches("input:not([type=file]), select, textarea");
    if (
      isField &&
      !element.getAttribute("aria-label") &&
      ![...element.labels].some((label) => label.textContent.trim())
    ) {
      faults.push(`${called(element)} has no label`);
    }
    if (element.matches("img") && !element.hasAttribute("alt")) faults.push(`${called(element)} has no alt`);
    for (const attribute of ["aria-controls", "aria-activedescendant", "aria-labelledby", "aria-describedby"]) {
      const ids = (element.getAttribute(attribute) ?? "").split(" ").filter(Boolean);
      if (ids.some((id) => !document.getElementById(id))) faults.push(`${called(element)} ${attribute} names nothing`);
    }
    const box = element.getBoundingClientRect();
    if (element.matches("button, select, summary, input:not([type=file])") && (box.width < 20 || box.height < 20)) {
      faults.push(`${called(element)} is small: ${box.width} x ${box.height}`);
    }
  }

  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  ids.filter((id, place) => ids.indexOf(id) !== place).forEach((id) => faults.push(`#${id} stands twice`));

  let level = 0;
  for (const heading of all.filter((element) => element.matches("h1, h2, h3, h4, h5, h6"))) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1 && !(dialog && level === 0)) faults.push(`${called(heading)} skips a level`);
    level = own;
  }
  if (!dialog && all.filter((element) => element.matches("h1")).length !== 1) faults.push("not one h1");
  if (!document.documentElement.lang) faults.push("no language");

  const parsed = (colour) => {
    const numbers = colour.match(/[\d.]+/g).map(Number);
    const scale = colour.startsWith("color(") ? 255 : 1;
    return [...numbers.slice(0, 3).map((value) => value * scale), numbers[3] ?? 1];
  };
  const over = (top, under) => [0, 1, 2].map((place) => top[place] * top[3] + under[place] * (1 - top[3]));
  const behind = (element) => {
    const layers = [];
    for (let place = element; place; place = place.parentElement) {
      layers.push(parsed(getComputedStyle(place).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reduceRight((under, top) => over(top, under), [255, 255, 255]);
  };
  const luminance = (colour) => {
    const [red, green, blue] = colour
      .map((value) => value / 255)
      .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  for (const element of all) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!hasText || element.closest(".unseen")) continue;
    const style = getComputedStyle(element);
    const ground = behind(element);
    const text = over(parsed(element.namespaceURI.endsWith("svg") ? style.fill : style.color), ground);
    const [dark, light] = [luminance(text), luminance(ground)].sort((one, other) => one - other);
    const contrast = (light + 0.05) / (dark + 0.05);
    const isLarge =
      parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (contrast < (isLarge ? 3 : 4.5)) faults.push(`${called(element)} has a contrast of ${contrast.toFixed(2)}`);
  }

  const wide = document.documentElement;
  if (wide.scrollWidth > wide.clientWidth) {
    const widest = all.filter((element) => element.getBoundingClientRect().right > wide.clientWidth + 1).map(called);
    faults.push(`the page is wider than the window: ${widest.slice(0, 5).join(", ")}`);
  }
  return faults;
};
