"use strict";
/* What all parts of the page's program use. */

const SVG = new Set(["svg", "path", "circle", "text", "defs", "marker"]);

function make(tag, attributes = {}, ...children) {
  const node = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const byId = id => document.getElementById(id);
const distinct = values => [...new Set(values)].sort((a, b) => a.localeCompare(b, "en", {numeric: true}));
const matches = (text, words) => words.toLowerCase().split(/\s+/).every(word => text.toLowerCase().includes(word));

/* Metrics and scores are × 100 with two decimals everywhere on the page. */
const points = value => (100 * value).toFixed(2);

/* Probabilities are in percent with three digits everywhere on the page. */
function percent(p) {
  const value = 100 * p;
  if (value === 0 || value >= 0.001) return `${value === 0 ? 0 : value.toPrecision(3)} %`;
  const [digits, power] = value.toExponential(2).split("e-");
  return `${digits} × 10⁻${[...power].map(digit => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("")} %`;
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}
