/* Tables first, then the cases and the overview; the other pictures while the browser is idle. */

const draw = (place, spec) => vegaEmbed(place, spec, {renderer: "svg", actions: false});
const idle = () => new Promise(done => (window.requestIdleCallback ?? setTimeout)(done));

/* Room for a picture that is not drawn yet, so that nothing moves when it is: axis and legend. */
function reserve(place, spec) {
  place.style.minHeight = `${(spec.height ?? spec.layer[0].height) + 76}px`;
}

async function start() {
  scoreTable();
  offerCsv();
  const data = await unpack(byId("packed").textContent);
  const pictures = Object.entries(data.plots).map(([key, spec]) => [byId(key), spec]);
  for (const picture of pictures) reserve(...picture);
  explorer(data);
  followAddress();
  watchAddress();
  arriveAt(location.hash);
  const first = pictures.filter(([place]) => place.closest("#findings"));
  for (const picture of first) await draw(...picture);
  document.body.dataset.ready = "true";
  for (const picture of pictures.filter(one => !first.includes(one))) {
    await idle();
    await draw(...picture);
  }
  document.body.dataset.drawn = "true";
}
start();
