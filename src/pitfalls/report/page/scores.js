/* The table of scores, which filters and sorts; and every table as a CSV file. */

const SCORE_COLUMNS = ["run", "model", "editor", "data", "metric"];

function scoreTable() {
  const table = byId("score-table");
  if (!table) return;
  const rows = [...table.tBodies[0].rows];
  const heads = [...table.tHead.rows[0].cells];
  const fields = {q: {label: "search", values: null}};
  for (const name of SCORE_COLUMNS) fields[name] = choice(name, rows.map(row => row.dataset[name]));
  const show = filters(byId("score-filters"), "scores", present(fields));
  sections.scores = chosen => {
    show(chosen);
    let shown = 0;
    for (const row of rows) {
      const fits = SCORE_COLUMNS.every(name => !chosen[name] || row.dataset[name] === chosen[name]);
      row.hidden = !(fits && matches(row.textContent, chosen.q ?? ""));
      shown += !row.hidden;
    }
    byId("score-count").textContent = `${shown} of ${rows.length} scores`;
    sort(table, rows, heads, chosen.sort ?? "");
  };
  for (const head of heads) {
    head.firstElementChild.addEventListener("click", () => {
      const {sort: by, ...others} = chosenIn("scores");
      const name = head.dataset.name;
      goTo("scores", {...others, sort: by === name ? `-${name}` : name});
    });
  }
  sections.scores({});
}

/* `by`: the name of a column, with a minus for the largest first; nothing for the order as written. */
function sort(table, rows, heads, by) {
  for (const head of heads) head.removeAttribute("aria-sort");
  const column = heads.findIndex(head => head.dataset.name === by.replace(/^-/, ""));
  const up = !by.startsWith("-");
  heads[column]?.setAttribute("aria-sort", up ? "ascending" : "descending");
  const numbers = heads[column]?.classList.contains("number");
  const key = row => row.cells[column].textContent.trim();
  const order = (a, b) => {
    const [x, y] = [key(a), key(b)], [p, q] = [parseFloat(x), parseFloat(y)];
    if (numbers) return (isNaN(p) - isNaN(q)) || (up ? p - q : q - p) || 0;
    return x.localeCompare(y, "en", {numeric: true}) * (up ? 1 : -1);
  };
  table.tBodies[0].append(...(column < 0 ? rows : rows.toSorted(order)));
}

const INTERVAL = /^(.*?) ?\[(\S+), (\S+)\]/;

/* Rows as they are shown, headings of blocks in a column of their own, intervals in two. */
function csv(table) {
  const heads = [...table.tHead.rows].at(-1).cells;
  const groups = table.tHead.rows.length > 1 ? [...table.tHead.rows[0].cells].flatMap(cell => Array(cell.colSpan).fill(cell.textContent.trim())) : [];
  const names = [...heads].map((head, i) => [groups[i], head.textContent.replace(/[↑↓]/, "").trim()].filter(Boolean).join(" "));
  const lines = [];
  for (const body of table.tBodies) {
    let block = "";
    for (const row of body.rows) {
      if (row.cells[0].matches(".block")) block = row.textContent.replace(/\s+/g, " ").trim();
      else if (!row.hidden) lines.push([block, ...[...row.cells].map(cell => cell.textContent.replace(/\s+/g, " ").trim())]);
    }
  }
  const columns = ["block", ...names].map((name, i) => {
    const cells = lines.map(line => line[i]);
    if (!cells.some(cell => INTERVAL.test(cell))) return [[name, ...cells]];
    const parts = cells.map(cell => INTERVAL.exec(cell)?.slice(1) ?? [cell, "", ""]);
    const split = [`${name}`, `${name} low`, `${name} high`].map((title, j) => [title, ...parts.map(part => part[j])]);
    return split.filter(([, ...values]) => values.some(Boolean));
  }).flat().filter(([, ...cells]) => cells.some(Boolean));
  const quoted = cell => /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  return ["", ...lines].map((_, i) => columns.map(column => quoted(column[i])).join(",")).join("\r\n") + "\r\n";
}

function offerCsv() {
  for (const table of document.querySelectorAll("table[data-file]")) {
    const button = make("button", {type: "button", class: "csv", title: "download this table, as it is shown"}, "CSV");
    button.addEventListener("click", () => {
      const href = URL.createObjectURL(new Blob(["\ufeff", csv(table)], {type: "text/csv"}));
      make("a", {href, download: `${table.dataset.file}.csv`}).click();
      URL.revokeObjectURL(href);
    });
    table.caption.append(button);
  }
}
