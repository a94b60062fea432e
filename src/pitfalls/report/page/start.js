/* Tables first, then the cases, then the pictures, which take longest. */
async function start() {
  scoreTable();
  offerCsv();
  const data = await unpack(byId("packed").textContent);
  explorer(data);
  followAddress();
  watchAddress();
  arriveAt(location.hash);
  for (const [key, spec] of Object.entries(data.plots)) {
    await vegaEmbed(`#${key}`, spec, {renderer: "svg", actions: false});
  }
  arriveAt(location.hash);
  document.body.dataset.ready = "true";
}
start();
