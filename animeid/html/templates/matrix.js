"use strict";
(() => {
  const canvas = document.getElementById("matrix");
  if (!canvas) return;
  const { labels, support, cells } = JSON.parse(document.getElementById("matrix-data").textContent);
  const size = labels.length, context = canvas.getContext("2d");
  const lookup = new Map(cells.map(([row, column, count]) => [row * size + column, count]));
  const pointed = document.getElementById("pointed");
  let zoom = 1, left = 0, top = 0, margin = 0, side = 0;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  const clamp = () => {
    left = Math.min(Math.max(left, 0), size - size / zoom);
    top = Math.min(Math.max(top, 0), size - size / zoom);
  };
  const draw = () => {
    const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    margin = Math.min(150, box.width * 0.24);
    side = Math.min(box.width, box.height) - margin - 6;
    const cell = side * zoom / size, shade = colour("--shade"), wrong = colour("--wrong");
    context.fillStyle = colour("--paper");
    context.fillRect(0, 0, box.width, box.height);
    context.save();
    context.beginPath();
    context.rect(margin, margin, side, side);
    context.clip();
    for (const [row, column, count] of cells) {
      const x = margin + (column - left) * cell, y = margin + (row - top) * cell;
      if (x > margin + side || y > margin + side || x + cell < margin || y + cell < margin) continue;
      const share = count / support[row];
      context.fillStyle = `rgba(${row === column ? shade : wrong}, ${0.12 + 0.88 * share})`;
      context.fillRect(x, y, Math.max(cell - (cell > 6 ? 0.5 : 0), 1), Math.max(cell - (cell > 6 ? 0.5 : 0), 1));
      if (cell > 22) {
        context.fillStyle = colour(share > 0.5 ? "--paper" : "--ink");
        context.font = `${Math.min(13, cell / 2.4)}px Names, system-ui, sans-serif`;
        context.textAlign = "center";
        context.textBaseline = "middle";
        context.fillText(count, x + cell / 2, y + cell / 2);
      }
    }
    context.restore();
    context.strokeStyle = colour("--line");
    context.strokeRect(margin, margin, side, side);
    if (cell < 7) return;
    context.font = `${Math.min(13, Math.max(8, cell * 0.72))}px Names, system-ui, Arial, sans-serif`;
    context.fillStyle = colour("--ink");
    context.textBaseline = "middle";
    for (let number = Math.floor(left); number < size; number++) {
      const x = margin + (number - left + 0.5) * cell;
      if (x > margin + side) break;
      if (x < margin) continue;
      context.save();
      context.translate(x, margin - 6);
      context.rotate(-Math.PI / 2); // a slanted name of the last classes would leave the picture
      context.textAlign = "left";
      context.fillText(short(labels[number]), 0, 0);
      context.restore();
    }
    context.textAlign = "right";
    for (let number = Math.floor(top); number < size; number++) {
      const y = margin + (number - top + 0.5) * cell;
      if (y > margin + side) break;
      if (y >= margin) context.fillText(short(labels[number]), margin - 6, y);
    }
  };
  const short = (label) => {
    if (context.measureText(label).width <= margin - 10) return label;
    let cut = label;
    while (cut && context.measureText(`${cut}…`).width > margin - 10) cut = [...cut].slice(0, -1).join("");
    return `${cut}…`;
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect(), cell = side * zoom / size;
    return [(event.clientX - box.left - margin) / cell + left, (event.clientY - box.top - margin) / cell + top];
  };
  const scale = (factor, column = left + size / zoom / 2, row = top + size / zoom / 2) => {
    const before = zoom;
    zoom = Math.min(Math.max(zoom * factor, 1), Math.max(1, size / 4));
    left = column - (column - left) * before / zoom;
    top = row - (row - top) * before / zoom;
    clamp();
    canvas.dataset.zoom = zoom.toFixed(2);
    draw();
  };
  document.getElementById("zoom-in").addEventListener("click", () => scale(1.6));
  document.getElementById("zoom-out").addEventListener("click", () => scale(1 / 1.6));
  document.getElementById("zoom-reset").addEventListener("click", () => scale(1e-9));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    scale(Math.exp(-event.deltaY / 300), ...place(event));
  }, { passive: false });
  const held = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, event);
  });
  const release = (event) => held.delete(event.pointerId);
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return tell(event);
    const cell = side * zoom / size, other = [...held.values()].find((one) => one.pointerId !== event.pointerId);
    if (other) {
      const far = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
      scale(far(event) / far(before), ...place(other));
    } else {
      left -= (event.clientX - before.clientX) / cell;
      top -= (event.clientY - before.clientY) / cell;
      clamp();
      draw();
    }
    held.set(event.pointerId, event);
  });
  const tell = (event) => {
    const [column, row] = place(event).map(Math.floor);
    const inside = row >= 0 && column >= 0 && row < size && column < size;
    const count = inside ? lookup.get(row * size + column) || 0 : 0;
    pointed.textContent = inside ? `${labels[row]} taken for ${labels[column]}: ${count} of ${support[row]}` : "";
  };
  canvas.dataset.zoom = "1.00";
  new ResizeObserver(draw).observe(canvas);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.fonts.ready.then(draw);
})();
