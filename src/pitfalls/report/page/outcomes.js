/* What a metric made of a case, in a word. */

const OUTCOMES = {passed: ["✓", "pass"], failed: ["✗", "fail"], "in part": ["◐", "part"], "left out": ["–", ""], error: ["!", "fail"]};

/* Passed: nothing could be better. Failed: nothing was gained, or all was lost. */
function outcomeOf(metric, value) {
  if (value === undefined) return undefined;
  if (value === null || typeof value === "string") return "left out";
  const sign = metric.increasing ? 1 : -1;
  if (sign * (value - metric.best) >= 0) return "passed";
  return metric.worst !== null && sign * (value - metric.worst) <= 0 ? "failed" : "in part";
}

/* The outcome of a result under one metric; undefined where it says nothing about the case. */
function resultOutcome(result, name, data) {
  return result.failure ? "error" : outcomeOf(data.metrics[name], result.values[name]);
}

/* Whose result it is: the editor, and the run and model where there are several. */
function sourceName(source, data) {
  const several = name => new Set(data.sources.map(other => other[name])).size > 1;
  const parts = [source.editor];
  if (several("model")) parts.push(source.model);
  if (several("run")) parts.push(source.run.split(/[\\/]/).at(-1));
  return parts.join(" · ");
}

/* Two metrics may have one title; then the name tells them apart. */
function metricTitle(name, data) {
  const title = data.metrics[name].title;
  const alike = Object.values(data.metrics).filter(metric => metric.title === title);
  return alike.length > 1 ? `${title} (${name})` : title;
}

function mark(result, name, data) {
  const outcome = resultOutcome(result, name, data);
  if (outcome === undefined) return "";
  const [sign, look] = OUTCOMES[outcome];
  const who = sourceName(data.sources[result.source], data);
  const value = result.failure ?? result.values[name];
  const told = typeof value === "number" ? points(value) : value ?? "undefined";
  return make("span", {class: `mark ${look}`, title: `${who}: ${metricTitle(name, data)} ${outcome}, ${told}`},
    make("span", {"aria-hidden": "true"}, sign), ` ${who}`, make("span", {class: "hidden"}, ` ${outcome}`));
}
