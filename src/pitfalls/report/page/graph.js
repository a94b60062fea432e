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
