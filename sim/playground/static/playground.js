// Asks for answers whenever a control moves, and puts them where they belong.
"use strict";

const controls = document.getElementById("controls");
const problem = document.getElementById("problem");
const progress = document.getElementById("progress");
let asked = null; // of the answers that are being read, to stop them
let complete = false; // whether all of them are there
let refused = problem.textContent; // what is wrong with the link, until a control moves
let timer = 0;

const named = () => [...controls.elements].filter((control) => control.name);
const levels = (control) => control.dataset.levels && JSON.parse(control.dataset.levels);
const value = (control) => (levels(control) ? levels(control)[control.value] : control.value);

function query() {
  return new URLSearchParams(named().map((control) => [control.name, value(control)])).toString();
}

function label(control) {
  const shown = value(control).replaceAll("_", " ");
  control.setAttribute("aria-valuetext", shown);
  control.nextElementSibling.textContent = shown;
}

function set(name, text) {
  const control = controls.elements[name];
  const known = levels(control);
  control.value = known ? known.indexOf(text) : text;
  if (control.type === "range") label(control);
}

// A preset is shown as long as the levels of its practices are the chosen ones.
function showPresets() {
  for (const menu of controls.querySelectorAll("[data-preset]")) {
    const arm = menu.dataset.preset;
    const fits = (option) =>
      option.value &&
      Object.entries(JSON.parse(option.value)).every(
        ([practice, level]) => value(controls.elements[`${arm}.${practice}`]) === level,
      );
    menu.value = [...menu.options].find(fits)?.value ?? "";
  }
}

function changed() {
  complete = false;
  showPresets();
  const state = query();
  history.replaceState(null, "", `?${state}`);
  for (const arm of ["a", "b"]) {
    document.getElementById(`yaml-${arm}`).href = `scenario.yaml?arm=${arm}&${state}`;
    document.getElementById(`watch-${arm}`).href = `animation?arm=${arm}&${state}`;
  }
  clearTimeout(timer);
  asked?.abort();
  document.body.classList.add("waiting");
  progress.textContent = "simulating";
  timer = setTimeout(() => ask(state), 60);
}

function show(pieces) {
  for (const [id, html] of Object.entries(pieces)) document.getElementById(id).innerHTML = html;
  document.body.classList.remove("waiting");
}

async function ask(state) {
  if (!controls.checkValidity()) {
    problem.textContent = "A number is out of its range: seed or replications.";
    progress.textContent = "no answer";
    return;
  }
  asked = new AbortController();
  const { signal } = asked;
  try {
    const response = await fetch(`answers?${state}`, { signal });
    if (!response.ok) {
      show({ progress: "no answer" });
      problem.textContent = await response.text();
      return;
    }
    problem.textContent = refused;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value: text, done } = await reader.read();
      if (done) break;
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      if (lines.length) show(JSON.parse(lines.at(-1)));
    }
    complete = true;
  } catch (error) {
    if (signal.aborted) return;
    problem.textContent = "The playground does not answer. Is its command still running?";
    progress.textContent = "no answer";
  }
}

controls.addEventListener("input", (event) => {
  const { target } = event;
  refused = "";
  if (target.dataset.preset) {
    if (target.value)
      for (const [practice, level] of Object.entries(JSON.parse(target.value)))
        set(`${target.dataset.preset}.${practice}`, level);
  } else if (target.type === "range") label(target);
  changed();
});
controls.addEventListener("submit", (event) => event.preventDefault());
document.getElementById("copy").addEventListener("click", () => {
  for (const control of named())
    if (control.name.startsWith("a.")) set(`b.${control.name.slice(2)}`, value(control));
  changed();
});
document.getElementById("reset").addEventListener("click", () => {
  for (const [name, text] of Object.entries(JSON.parse(document.body.dataset.defaults)))
    set(name, text);
  changed();
});
document.getElementById("link").addEventListener("click", async (event) => {
  const button = event.target;
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Link copied";
  } catch {
    button.textContent = "Copy it from the address bar";
  }
  setTimeout(() => (button.textContent = "Copy link"), 3000);
});
// A browser keeps few connections to one host: tabs that nobody looks at give theirs back.
document.addEventListener("visibilitychange", () => {
  if (complete) return;
  if (document.hidden) asked?.abort();
  else changed();
});
if (refused) refused += "\nThis link cannot be shown; here is what the page opens with.";
changed();
