"use strict";
const STATES = {theta0: "before (θ)", theta_m: "after e1 (θm)", theta_prime: "after both (θ')", theta2: "after e2 alone (θ2)"};
const MOST_LISTED = 200;

function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "circle", "text", "title", "defs", "marker"].includes(tag);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

/* A form of choices; `changed` gets what is chosen, empty where anything is. */
function filters(form, choices, changed) {
  const inputs = {};
  for (const [name, values] of Object.entries(choices)) {
    const id = `${form.id}-${name}`;
    const input = values === null ? make("input", {type: "search", id, placeholder: "any words"}) : make("select", {id});
    if (values) input.append(make("option", {value: ""}, "all"), ...values.map(value => make("option", {value}, value)));
    input.addEventListener("input", () => tell());
    inputs[name] = input;
    form.append(make("label", {for: id}, name, input));
  }
  form.addEventListener("submit", event => event.preventDefault());
  const tell = () => changed(Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, input.value])));
  tell();
}

const distinct = values => [...new Set(values)].sort((a, b) => a.localeCompare(b, "en", {numeric: true}));
const matches = (text, words) => words.toLowerCase().split(/\s+/).every(word => text.toLowerCase().includes(word));

function scoreTable() {
  const table = document.getElementById("scores");
  if (!table) return;
  const rows = [...table.tBodies[0].rows];
  const columns = ["run", "model", "editor", "data", "metric"];
  const choices = {search: null};
  for (const name of columns) {
    const values = distinct(rows.map(row => row.dataset[name]));
    if (values.length > 1) choices[name] = values;
  }
  filters(document.getElementById("score-filters"), choices, chosen => {
    let shown = 0;
    for (const row of rows) {
      const fits = columns.every(name => !chosen[name] || row.dataset[name] === chosen[name]);
      row.hidden = !(fits && matches(row.textContent, chosen.search));
      shown += !row.hidden;
    }
    document.getElementById("score-count").textContent = `${shown} of ${rows.length} scores`;
  });
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => sort(table, rows, head, column));
  });
}

function sort(table, rows, head, column) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const key = row => row.cells[column].textContent.trim();
  const order = (a, b) => {
    const [x, y] = [key(a), key(b)], [p, q] = [parseFloat(x), parseFloat(y)];
    if (head.classList.contains("number")) return (isNaN(p) - isNaN(q)) || (up ? p - q : q - p) || 0;
    return x.localeCompare(y, "en", {numeric: true}) * (up ? 1 : -1);
  };
  table.tBodies[0].append(...rows.sort(order));
}

function explorer(data) {
  const cases = data.cases;
  const choices = {
    search: null,
    "data set": distinct(cases.map(one => one.data)),
    relation: distinct(cases.flatMap(one => one.relations)),
    rule: distinct(cases.map(one => one.facets.rule)),
    degenerate: distinct(cases.map(one => one.facets.degenerate)),
  };
  const list = document.getElementById("case-list");
  filters(document.getElementById("case-filters"), choices, chosen => {
    const found = cases.filter(one =>
      (!chosen["data set"] || one.data === chosen["data set"])
      && (!chosen.relation || one.relations.includes(chosen.relation))
      && (!chosen.rule || one.facets.rule === chosen.rule)
      && (!chosen.degenerate || one.facets.degenerate === chosen.degenerate)
      && matches([one.id, one.subject, one.facets.rule, ...one.relations, ...one.edits.map(edit => `${edit.words} ${edit.old} ${edit.new}`)].join(" "), chosen.search));
    const more = found.length > MOST_LISTED ? `; the first ${MOST_LISTED} are listed` : "";
    document.getElementById("case-count").textContent = `${found.length} of ${cases.length} cases${more}`;
    list.replaceChildren(...found.slice(0, MOST_LISTED).map(one => {
      const button = make("button", {type: "button"}, one.subject, make("small", {}, `${one.id} · ${one.relations.join(", ")}`));
      button.addEventListener("click", () => {
        for (const other of list.querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
        button.setAttribute("aria-current", "true");
        open(one, data);
      });
      return make("li", {}, button);
    }));
  });
}

function open(one, data) {
  const article = document.getElementById("case");
  const edits = one.edits.map((edit, i) => make("li", {}, `e${i + 1}: ${edit.words} `, make("s", {}, edit.old), " → ", make("strong", {}, edit.new)));
  const rule = one.facets.rule === "none" || one.facets.rule === "not known" ? "" : `, rule ${one.facets.rule}`;
  article.replaceChildren(
    make("h3", {}, `${one.subject} (${one.id}${rule})`),
    make("ul", {}, ...edits),
    graph(one),
    ...one.results.flatMap(result => outcome(one, result, data)),
  );
  article.focus();
}

function outcome(one, result, data) {
  const source = data.sources[result.source];
  const several = new Set(data.sources.map(other => other.run)).size > 1;
  const head = make("h4", {}, several ? `${source.editor} · ${source.model} · ${source.run}` : source.editor);
  if (result.failure) return [head, make("p", {class: "fail"}, `Failed: ${result.failure}`)];
  const verdicts = Object.entries(result.values).map(([name, value]) => verdict(data.metrics[name], value, result, data.states));
  return [head, make("ul", {class: "verdicts"}, ...verdicts), bars(one, result, data.states)];
}

/* Passed: nothing could be better. Failed: nothing was gained, or all was lost. */
function verdict(metric, value, result, states) {
  const read = metric.needs.map(([state, probe]) => {
    const p = (result.p[probe] || (probe === "new" ? result.p.new_explicit : null) || [])[states.indexOf(state)];
    return p == null ? null : `p(${probe}) ${STATES[state]} ${percent(p)}`;
  }).filter(Boolean).join(", ");
  const why = ` (${read}; ${metric.formula})`;
  if (value === null || typeof value === "string") return make("li", {}, `${metric.title}: left out, ${value || "undefined"}`, make("span", {class: "small"}, why));
  const sign = metric.increasing ? 1 : -1;
  const [word, look] = sign * (value - metric.best) >= 0 ? ["passed", "pass"] : metric.worst !== null && sign * (value - metric.worst) <= 0 ? ["failed", "fail"] : ["in part", ""];
  return make("li", {}, make("strong", {class: look}, `${metric.title}: ${word}`), `, ${+value.toPrecision(3)}. ${metric.question}`, make("span", {class: "small"}, why));
}

const percent = p => p >= 0.001 ? `${(100 * p).toPrecision(3)} %` : p.toExponential(1);

function bars(one, result, states) {
  const box = make("div", {class: "bars"});
  for (const [probe, ps] of Object.entries(result.p)) {
    box.append(make("div", {class: "probe"}, make("strong", {}, one.targets[probe] || probe), ` ${probe}`));
    ps.forEach((p, i) => {
      if (p === null) return;
      const bar = make("div", {class: `bar ${states[i]}`, "aria-hidden": "true"});
      bar.style.width = `${100 * p}%`;
      box.append(make("span", {}, STATES[states[i]]), bar, make("span", {class: "number"}, percent(p)));
    });
  }
  return box;
}

/* Entities on a circle; facts before the edits as lines, edits as dashed lines. */
function graph(one) {
  const edges = [
    ...one.facts.map(([from, label, to]) => ({from, label, to, kind: "fact"})),
    ...one.edits.map((edit, i) => ({from: edit.subject, label: `e${i + 1}: ${edit.relation}`, to: edit.new, kind: "edit"})),
  ];
  const names = [...new Set(edges.flatMap(edge => [edge.from, edge.to]))];
  const [width, height] = [560, 120 + 40 * names.length];
  const place = name => {
    const angle = 2 * Math.PI * names.indexOf(name) / names.length - Math.PI / 2;
    return [width / 2 + 190 * Math.cos(angle), height / 2 + (height / 2 - 40) * Math.sin(angle)];
  };
  const told = edges.map(edge => `${edge.from}, ${edge.label}: ${edge.to}${edge.kind === "edit" ? " (edit)" : ""}`).join("; ");
  const svg = make("svg", {viewBox: `0 0 ${width} ${height}`, class: "graph", role: "img", "aria-label": told});
  svg.append(make("defs", {}, make("marker", {id: "tip", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto"},
    make("path", {d: "M0 0 L8 4 L0 8 z", style: "fill: currentColor; stroke: none"}))));
  const pairs = {};
  for (const edge of edges) {
    const pair = [edge.from, edge.to].sort().join("\n");
    const nth = pairs[pair] = (pairs[pair] ?? -1) + 1;
    const [[ax, ay], [bx, by]] = [place(edge.from), place(edge.to)];
    const length = Math.hypot(bx - ax, by - ay) || 1;
    const bend = (nth % 2 ? -1 : 1) * 22 * (nth + 1) * (edge.from < edge.to ? 1 : -1);
    const [mx, my] = [(ax + bx) / 2 - bend * (by - ay) / length, (ay + by) / 2 + bend * (bx - ax) / length];
    const [ux, uy] = [(bx - mx) / (Math.hypot(bx - mx, by - my) || 1), (by - my) / (Math.hypot(bx - mx, by - my) || 1)];
    svg.append(
      make("path", {d: `M${ax} ${ay} Q${mx} ${my} ${bx - 11 * ux} ${by - 11 * uy}`, class: edge.kind, "marker-end": "url(#tip)"}),
      make("text", {x: (ax + bx) / 4 + mx / 2, y: (ay + by) / 4 + my / 2, class: "halo"}, edge.label));
  }
  for (const name of names) {
    const [x, y] = place(name);
    svg.append(make("circle", {cx: x, cy: y, r: 7}), make("text", {x, y: y + (y < height / 2 ? -13 : 23), class: "halo"}, name));
  }
  return svg;
}

async function start() {
  scoreTable();
  const data = await unpack(document.getElementById("packed").textContent);
  explorer(data);
  for (const [key, spec] of Object.entries(data.plots)) {
    await vegaEmbed(`#${key}`, spec, {renderer: "svg", actions: false});
  }
  document.body.dataset.ready = "true";
}
start();
