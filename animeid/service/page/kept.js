// What the browser keeps between visits.

export function kept(name) {
  try {
    return localStorage.getItem(`animeid.${name}`);
  } catch {
    return null; // a browser that keeps nothing
  }
}

export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(`animeid.${name}`);
    else localStorage.setItem(`animeid.${name}`, value);
  } catch {
    // It then holds for this visit.
  }
}
