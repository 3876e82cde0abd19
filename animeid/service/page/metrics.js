// Prometheus' text format, and what is made of its figures.

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES = { "\\n": "\n", '\\"': '"', "\\\\": "\\" };

/** Samples of a text, by the name of their metric. */
export class Metrics {
  #samples = new Map();

  constructor(text) {
    for (const line of text.split("\n")) {
      const [, name, labels, value] = SAMPLE.exec(line) ?? [];
      if (!name) continue;
      if (!this.#samples.has(name)) this.#samples.set(name, []);
      this.#samples.get(name).push({ labels: labelsOf(labels ?? ""), value: Number(value) });
    }
  }

  /** Samples of a metric whose labels are as wanted. */
  of(name, wanted = {}) {
    const fits = ({ labels }) => Object.entries(wanted).every(([label, value]) => labels[label] === value);
    return (this.#samples.get(`animeid_${name}`) ?? []).filter(fits);
  }

  /** One metric alone: what is kept for long should not hold all of them. */
  only(name) {
    const kept = new Metrics("");
    kept.#samples.set(`animeid_${name}`, this.of(name));
    return kept;
  }

  sum(name, wanted = {}) {
    return this.of(name, wanted).reduce((total, { value }) => total + value, 0);
  }

  /** Sums by the value of a label. */
  by(name, label, wanted = {}) {
    const sums = new Map();
    for (const { labels, value } of this.of(name, wanted)) {
      sums.set(labels[label], (sums.get(labels[label]) ?? 0) + value);
    }
    return sums;
  }

  /** Upper edges and counts of the bins of a histogram. */
  histogram(name, wanted = {}) {
    const below = [...this.by(`${name}_bucket`, "le", wanted)].map(([edge, count]) => [
      Number(edge.replace("+Inf", "Infinity")),
      count,
    ]);
    below.sort(([one], [other]) => one - other);
    return below.map(([edge, count], place) => ({ edge, count: count - (below[place - 1]?.[1] ?? 0) }));
  }
}

function labelsOf(text) {
  const unescaped = (value) => value.replace(/\\[n"\\]/g, (pair) => ESCAPES[pair]);
  return Object.fromEntries([...text.matchAll(LABEL)].map(([, name, value]) => [name, unescaped(value)]));
}

/** The bins of what was counted between two times. */
export function between(before, after) {
  return after.map(({ edge, count }, place) => ({ edge, count: count - (before[place]?.count ?? 0) }));
}

/** A quantile of binned values, taken to be even inside of a bin, as Prometheus has it; null of none. */
export function quantile(bins, share) {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  if (total <= 0) return null;
  let [left, lower] = [share * total, 0];
  for (const { edge, count } of bins) {
    if (left <= count && count > 0) return edge === Infinity ? lower : lower + ((edge - lower) * left) / count;
    left -= count;
    lower = edge;
  }
  return lower;
}
