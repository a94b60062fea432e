/* The list of cases: found, ordered and paged as the address says. */

const PAGE = 50;
const ORDERS = {"": "as in the run", worst: "worst first", best: "best first", subject: "by subject"};
const caseKey = one => `${one.data}/${one.id}`;

function explorer(data) {
  const {cases} = data;
  const show = filters(byId("case-filters"), "cases", caseFields(data));
  for (const one of cases) {
    one.text = [one.id, one.subject, one.facets.rule, ...one.relations, ...one.edits.map(edit => `${edit.words} ${edit.old} ${edit.new}`)].join(" ");
  }
  let found = cases;
  let opened = "";
  sections.cases = chosen => {
    show(chosen);
    found = ordered(cases.filter(one => fits(one, chosen, data)), chosen, data);
    const at = found.findIndex(one => caseKey(one) === chosen.case);
    const page = Number(chosen.page) || Math.floor(Math.max(at, 0) / PAGE) + 1;
    byId("case-count").textContent = `${found.length} of ${cases.length} cases`;
    byId("case-list").replaceChildren(...found.slice(PAGE * (page - 1), PAGE * page).map(one => entry(one, chosen, data)));
    pager(page, Math.ceil(found.length / PAGE), chosen);
    const one = found[at] ?? cases.find(one => caseKey(one) === chosen.case);
    const first = one ? resultsOf(one, chosen, data) : [];
    const now = one ? [caseKey(one), ...first.map(result => result.source)].join() : "";
    if (now !== opened) openCase(one, first, data);
    opened = now;
    if (one) stepper(found, at, chosen);
  };
  arrows((chosen, by) => {
    const next = found[found.findIndex(one => caseKey(one) === chosen.case) + by];
    if (next) goTo("cases", withCase(chosen, next));
  });
  sections.cases({});
}

const withCase = ({page, ...chosen}, one) => ({...chosen, case: caseKey(one)});

function caseFields(data) {
  const {cases, sources, metrics} = data;
  const of = name => sources.filter((_, i) => cases.some(one => one.results.some(result => result.source === i))).map(source => source[name]);
  const known = new Set(cases.flatMap(one => one.results.flatMap(result => Object.keys(result.values))));
  return present({
    q: {label: "search", values: null},
    data: choice("data set", cases.map(one => one.data)),
    run: choice("run", of("run")),
    model: choice("model", of("model")),
    editor: choice("editor", of("editor"), "any"),
    metric: {label: "metric", values: [["", "the main one"], ...[...known].map(name => [name, metricTitle(name, data)])]},
    outcome: {label: "outcome", values: [["", "any"], ...Object.keys(OUTCOMES).map(word => [word, word])]},
    relation: choice("relation", cases.flatMap(one => one.relations)),
    rule: choice("rule", cases.map(one => one.facets.rule)),
    degenerate: choice("degenerate", cases.map(one => one.facets.degenerate)),
    sort: {label: "order", values: Object.entries(ORDERS)},
  });
}

const metricFor = (one, chosen, data) => chosen.metric || data.main[one.kind];

/* Results of the chosen run, model and editor. */
function resultsOf(one, chosen, data) {
  return one.results.filter(({source}) => ["run", "model", "editor"].every(name => !chosen[name] || data.sources[source][name] === chosen[name]));
}

function fits(one, chosen, data) {
  if (chosen.data && one.data !== chosen.data || chosen.relation && !one.relations.includes(chosen.relation)) return false;
  if (["rule", "degenerate"].some(name => chosen[name] && one.facets[name] !== chosen[name])) return false;
  const outcomes = resultsOf(one, chosen, data).map(result => resultOutcome(result, metricFor(one, chosen, data), data));
  const wanted = outcome => outcome === undefined ? !chosen.metric && !chosen.outcome : !chosen.outcome || outcome === chosen.outcome;
  return outcomes.some(wanted) && matches(one.text, chosen.q ?? "");
}

function ordered(found, chosen, data) {
  if (chosen.sort === "subject") return found.toSorted((a, b) => a.subject.localeCompare(b.subject));
  if (!chosen.sort) return found;
  const goodness = one => {
    const name = metricFor(one, chosen, data);
    const values = resultsOf(one, chosen, data).map(result => result.values[name]).filter(value => typeof value === "number");
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return data.metrics[name].increasing ? mean : -mean;
  };
  const worth = new Map(found.map(one => [one, goodness(one)]));
  const up = chosen.sort === "worst";
  return found.toSorted((a, b) => {
    const [p, q] = [worth.get(a), worth.get(b)];
    return (isNaN(p) - isNaN(q)) || (up ? p - q : q - p) || 0;
  });
}

function entry(one, chosen, data) {
  const name = metricFor(one, chosen, data);
  const link = make("a", {href: addressOf("cases", {...chosen, case: caseKey(one)})}, one.subject,
    make("small", {}, `${one.id} · ${one.relations.join(", ")}`),
    make("span", {class: "marks"}, `${metricTitle(name, data)}: `, ...resultsOf(one, chosen, data).flatMap(result => [mark(result, name, data), " "])));
  if (caseKey(one) === chosen.case) link.setAttribute("aria-current", "true");
  return make("li", {}, link);
}

function turn(words, chosen) {
  return chosen ? make("a", {href: addressOf("cases", chosen)}, words) : make("span", {class: "off"}, words);
}

function pager(page, pages, chosen) {
  const to = n => n >= 1 && n <= pages ? {...chosen, page: `${n}`} : null;
  byId("case-pages").replaceChildren(turn("‹ Previous", to(page - 1)), `page ${Math.min(page, pages)} of ${pages}`, turn("Next ›", to(page + 1)));
}

function stepper(found, at, chosen) {
  const to = i => at >= 0 && found[i] ? withCase(chosen, found[i]) : null;
  byId("case-steps").replaceChildren(turn("‹ Previous case", to(at - 1)), at < 0 ? "not among those found" : `${at + 1} of ${found.length}`, turn("Next case ›", to(at + 1)));
}

/* Left and right open the case before and behind; up and down walk through the list. */
function arrows(step) {
  byId("cases").addEventListener("keydown", event => {
    if (event.target.closest("input, select, .wide") || event.altKey || event.ctrlKey || event.metaKey) return;
    const sideways = {ArrowLeft: -1, ArrowRight: 1}[event.key], along = {ArrowUp: "previous", ArrowDown: "next"}[event.key];
    const item = event.target.closest("#case-list li");
    if (sideways && chosenIn("cases").case) step(chosenIn("cases"), sideways);
    else if (along && item) item[`${along}ElementSibling`]?.firstElementChild.focus();
    else return;
    event.preventDefault();
  });
}
