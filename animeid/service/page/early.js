// What must be known before anything is drawn: language and appearance.
(() => {
  const kept = (name) => {
    try {
      return localStorage.getItem(`animeid.${name}`);
    } catch {
      return null; // a browser that keeps nothing
    }
  };
  const known = ["en", "zh", "ja"];
  const wanted = [kept("language"), ...navigator.languages.map((language) => language.slice(0, 2).toLowerCase())];
  document.documentElement.lang = wanted.find((language) => known.includes(language)) ?? "en";
  const appearance = kept("appearance");
  if (appearance === "light" || appearance === "dark") document.documentElement.dataset.appearance = appearance;
})();
