/* One case: its edits, its facts and edits as a graph, what metrics made of it, what was believed. */

const STATES = {theta0: "before (θ)", theta_m: "after e1 (θm)", theta_prime: "after both (θ')", theta2: "after e2 alone (θ2)"};
const stateWords = state => STATES[state] ?? state;
/* Numbered probes, such as other/0, share their words. */
const probeKey = (probe, data) => probe in data.probes ? probe : probe.replace(/\d+$/, "");
const probeWords = (probe, data) => data.probes[probeKey(probe, data)] ?? probe;
const LEAST = 1e-6;

/* `first`: the results to show before the others. */
function openCase(one, first, data) {
  const article = byId("case");
  if (!one) return article.replaceChildren(make("p", {}, "Choose a case; the arrow keys lead on from it."));
  const rule = ["none", "not known"].includes(one.facets.rule) ? "" : `, rule ${one.facets.rule}`;
  const edits = one.edits.map((edit, i) => make("li", {}, `e${i + 1}: ${edit.words} `, make("s", {}, edit.old), " → ", make("strong", {}, edit.new)));
  article.replaceChildren(
    make("nav", {id: "case-steps", class: "steps", "aria-label": "Neighbours of the case"}),
    make("h3", {}, `${one.subject} (${one.id}${rule})`),
    make("div", {class: "told"}, make("ul", {}, ...edits), graph(one)),
    ...one.results.filter(result => result.failure).map(result => make("p", {class: "fail"}, `${sourceName(data.sources[result.source], data)} failed: ${result.failure}`)),
    ...tables(one, [...first, ...one.results.filter(result => !first.includes(result))], data),
  );
  article.focus({preventScroll: true});
  article.scrollIntoView({block: innerWidth < 736 ? "start" : "nearest"});
}

function tables(one, all, data) {
  const results = all.filter(result => !result.failure);
  if (!results.length) return [];
  const heads = results.map(result => make("th", {scope: "col"}, sourceName(data.sources[result.source], data)));
  return [
    grid("What the metrics made of it, × 100", ["metric", ...heads], [make("tbody", {}, ...verdicts(results, data))]),
    grid("How probable each object was; bars on a logarithmic scale from 0.0001 % to 100 %", ["object, state", ...heads.map(head => head.cloneNode(true))], beliefs(one, results, data)),
  ];
}

function grid(caption, [first, ...heads], bodies) {
  const table = make("table", {}, make("caption", {}, caption), make("thead", {}, make("tr", {}, make("th", {scope: "col"}, first), ...heads)), ...bodies);
  return make("div", {class: "wide", tabindex: "0", role: "region", "aria-label": caption}, table);
}

function verdicts(results, data) {
  const names = Object.keys(data.metrics).filter(name => results.some(result => name in result.values));
  return names.map(name => {
    const metric = data.metrics[name];
    const reads = metric.needs.map(([state, probe]) => `${probeWords(probe, data)} ${stateWords(state)}`).join(", ");
    const about = make("details", {}, make("summary", {}, metricTitle(name, data)), `${metric.question} `, make("span", {class: "small"}, `${metric.formula}. Reads: ${reads}.`));
    return make("tr", {}, make("th", {scope: "row"}, about), ...results.map(result => verdict(metric, result.values[name])));
  });
}

function verdict(metric, value) {
  const outcome = outcomeOf(metric, value);
  if (outcome === undefined) return make("td", {});
  const words = outcome === "left out" ? [make("span", {class: "small"}, value ?? "undefined")] : [make("span", {class: "number"}, points(value))];
  return make("td", {}, make("strong", {class: OUTCOMES[outcome][1]}, outcome), " ", ...words);
}

/* In the order of the words, those behind that have none. */
function beliefs(one, results, data) {
  const order = Object.keys(data.probes), at = probe => order.indexOf(probeKey(probe, data));
  const place = probe => at(probe) < 0 ? order.length : at(probe);
  const probes = distinct(results.flatMap(result => Object.keys(result.p))).sort((a, b) => place(a) - place(b));
  return probes.map(probe => {
    const states = data.states.filter((_, i) => results.some(result => (result.p[probe]?.[i] ?? null) !== null));
    const words = probeWords(probe, data);
    return make("tbody", {},
      make("tr", {}, make("th", {class: "block", scope: "rowgroup", colspan: results.length + 1}, one.targets[probe] || probe, make("span", {}, ` ${words}`))),
      ...states.map(state => make("tr", {}, make("th", {scope: "row"}, stateWords(state)), ...results.map(result => belief(result.p[probe]?.[data.states.indexOf(state)] ?? null, state)))));
  });
}

function belief(p, state) {
  if (p === null) return make("td", {});
  const bar = make("div", {class: `bar ${state}`, "aria-hidden": "true"});
  bar.style.width = `${100 * Math.max(0, 1 - Math.log(p) / Math.log(LEAST))}%`;
  return make("td", {class: "belief"}, percent(p), make("div", {class: "track"}, bar));
}
