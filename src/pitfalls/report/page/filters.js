/* Forms of choices. What is chosen is in the address; the form only shows it and changes it. */

/* `fields`: name → {label, values}; values are [value, words] pairs, or null for free words.
   Returns a function that shows what is chosen. */
function filters(form, section, fields) {
  const inputs = {};
  for (const [name, {label, values}] of Object.entries(fields)) {
    const id = `${form.id}-${name}`;
    const input = values === null
      ? make("input", {type: "search", id, placeholder: "any words"})
      : make("select", {id}, ...values.map(([value, words]) => make("option", {value}, words)));
    input.addEventListener("input", () => {
      const {[name]: _, page, ...others} = chosenIn(section);
      goTo(section, {...others, [name]: input.value}, values === null);
    });
    inputs[name] = input;
    form.append(make("label", {for: id}, label, input));
  }
  const clear = make("button", {type: "button"}, "Clear");
  clear.addEventListener("click", () => goTo(section, {}));
  form.append(clear);
  form.addEventListener("submit", event => event.preventDefault());
  return chosen => {
    for (const [name, input] of Object.entries(inputs)) {
      if (input.value !== (chosen[name] ?? "")) input.value = chosen[name] ?? "";
    }
    clear.hidden = !Object.keys(chosen).length;
  };
}

function chosenIn(section) {
  const address = readAddress();
  return address.section === section ? address.chosen : {};
}

/* A choice among the values that there are; nothing where there is only one. */
function choice(label, values, all = "all") {
  const found = distinct(values);
  return found.length > 1 ? {label, values: [["", all], ...found.map(value => [value, value])]} : undefined;
}

const present = fields => Object.fromEntries(Object.entries(fields).filter(([, field]) => field));
