/* The address says what is shown, "#cases?editor=memit&outcome=failed": it can be shared, and Back
   leads to what was shown before. A section draws itself from what its address says is chosen. */

const sections = {};

function readAddress() {
  const [section, words = ""] = location.hash.slice(1).split("?");
  return {section, chosen: Object.fromEntries(new URLSearchParams(words))};
}

function addressOf(section, chosen) {
  const words = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value));
  return `#${section}${words.size ? "?" : ""}${words}`.replaceAll("%2F", "/").replaceAll("%3A", ":");
}

/* `quietly`: without a step of its own in the history, as for every letter of a search. */
function goTo(section, chosen, quietly = false) {
  history[quietly ? "replaceState" : "pushState"](null, "", addressOf(section, chosen));
  sections[section](chosen);
}

/* An address without a section is the page as it opens. */
function followAddress() {
  const {section, chosen} = readAddress();
  for (const [name, draw] of Object.entries(sections)) {
    if (!section) draw({});
    else if (name === section) draw(chosen);
  }
}

/* The browser finds a section by its name, but not one with choices behind it. */
function arriveAt(address) {
  const [section, words] = address.slice(1).split("?");
  if (words !== undefined) byId(section)?.scrollIntoView();
}

function watchAddress() {
  addEventListener("hashchange", followAddress);
  document.addEventListener("click", event => {
    const link = event.target.closest('a[href^="#"]');
    const away = link && !link.closest("section")?.matches(link.hash.split("?")[0] || "body");
    if (away) setTimeout(() => arriveAt(link.hash));
  });
}
