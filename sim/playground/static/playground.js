// Asks for answers whenever a control moves, and puts them where they belong.
"use strict";

const place = (id) => document.getElementById(id);
const problem = place("problem");
const progress = place("progress");
const forms = [place("form"), place("roadmap-form")];
const VIEWS = { compare: "answers", roadmap: "roadmap", watch: "watch", own: null };
const NO_SERVER = "The playground does not answer. Is its command still running?";
let view = "compare"; // the tab that is shown
let asked = null; // of the answers that are being read, to stop them
let shown = ""; // what has been asked for: a tab and a state
let complete = false; // whether all of it is there
let refused = problem.textContent; // what is wrong with the link, until a control moves
let timer = 0;

// --- the state of the page, which is its address ----------------------------------------------

const named = () => forms.flatMap((form) => [...form.elements].filter((each) => each.name));
const levels = (control) => control.dataset.levels && JSON.parse(control.dataset.levels);
function value(control) {
  if (control.type === "checkbox") return control.checked ? "yes" : "no";
  return levels(control) ? levels(control)[control.value] : control.value;
}

// The names of the controls that follow a choice.
function followers(control) {
  const moves = control.dataset.moves && JSON.parse(control.dataset.moves)[value(control)];
  return moves ? moves.split(" ") : [];
}

// What differs from what the presets say; what a control moves follows it.
function query(moved) {
  const follow = new Set(moved ? followers(moved) : []);
  const said = named().filter(
    (control) => value(control) !== control.dataset.base && !follow.has(control.name),
  );
  return new URLSearchParams(said.map((control) => [control.name, value(control)]));
}

function describe(control) {
  const shownValue = value(control).replaceAll("_", " ");
  if (control.type === "range") {
    const known = levels(control);
    const label = known ? known[control.value].replaceAll("_", " ") : shownValue;
    control.setAttribute("aria-valuetext", label);
    control.nextElementSibling.textContent = label;
  }
  const about = control.getAttribute("aria-describedby");
  if (about && (levels(control) || control.tagName === "SELECT")) {
    const base = control.closest(".row").querySelector(".tip").id;
    control.setAttribute("aria-describedby", `${base}-${value(control).replace(/[^a-z0-9]/gi, "-")}`);
  }
}

function changed(moved) {
  const said = query(moved);
  const state = said.toString();
  place("comparison").dataset.arms = said.get("arms");
  history.replaceState(null, "", `?${state}${location.hash}`);
  for (const link of document.querySelectorAll("#links a")) {
    const arm = link.dataset.arm ? `arm=${link.dataset.arm}&` : "";
    link.href = `${link.dataset.href}?${arm}${state}`;
  }
  ask(state);
}

// Lets the server set the forms to another state: it knows what the presets say. One after the
// other, each change made to the state that the one before has left.
let rebuilt = Promise.resolve();
function rebuild(change) {
  begins();
  rebuilt = rebuilt.then(() => rebuildNow(change));
  return rebuilt;
}

async function rebuildNow(change) {
  const said = query();
  change(said);
  const unfolded = [...document.querySelectorAll("#controls details[open]")].map((each) => each.id);
  const focused = document.activeElement?.name || document.activeElement?.dataset?.do;
  try {
    for (const form of forms) form.inert = true;
    const response = await fetch(`form?${said}`);
    if (!response.ok) {
      fails(await response.text());
      return;
    }
    show(await response.json());
  } catch {
    fails(NO_SERVER);
    return;
  } finally {
    for (const form of forms) form.inert = false;
  }
  for (const id of unfolded) if (place(id)) place(id).open = true;
  const again = named().find((control) => control.name === focused);
  (again ?? document.querySelector(`[data-do="${focused}"]`))?.focus();
  changed();
}

// --- answers ------------------------------------------------------------------------------------

function ask(state, again = false) {
  const what = `${view}?${state}`;
  if (what === shown && complete && !again) return;
  shown = what;
  clearTimeout(timer);
  asked?.abort();
  if (VIEWS[view] === null) {
    complete = true;
    document.body.classList.remove("waiting");
    progress.textContent = "";
    return;
  }
  begins();
  timer = setTimeout(() => read(`${VIEWS[view]}?${state}`), 60);
}

function begins() {
  complete = false;
  document.body.classList.add("waiting");
  progress.textContent = "simulating";
}

function show(pieces) {
  for (const [id, html] of Object.entries(pieces))
    if (id === "watch") watch.begin(html);
    else place(id).innerHTML = html;
}

function fails(text) {
  problem.textContent = text;
  progress.textContent = "no answer";
  complete = true;
}

async function read(address) {
  const wrong = named().find((control) => !control.checkValidity());
  if (wrong) {
    fails(`A number is out of its range: ${wrong.getAttribute("aria-label") ?? wrong.name}.`);
    return;
  }
  asked = new AbortController();
  const { signal } = asked;
  try {
    const response = await fetch(address, { signal });
    if (!response.ok) {
      fails(await response.text());
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
      if (lines.length) {
        show(JSON.parse(lines.at(-1)));
        document.body.classList.remove("waiting");
      }
    }
    complete = true;
  } catch (error) {
    if (signal.aborted) return;
    fails(NO_SERVER);
  }
}

// --- controls -----------------------------------------------------------------------------------

for (const form of forms) {
  form.addEventListener("input", ({ target }) => {
    refused = "";
    problem.textContent = "";
    describe(target);
    if (target.tagName !== "SELECT") changed(target.dataset.moves ? target : null);
  });
  form.addEventListener("change", ({ target }) => {
    if (!target.dataset.moves && target.tagName !== "SELECT") return;
    const text = value(target);
    const follow = followers(target);
    rebuild((said) => {
      for (const name of follow) said.delete(name);
      said.set(target.name, text);
    });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}

function likeOf(said, from, to) {
  without(said, to);
  for (const [key, text] of [...said.entries()])
    if (key.startsWith(`${from}.`)) said.set(`${to}.${key.slice(2)}`, text);
}

const letter = (number) => "abcd"[number];
function without(said, arm) {
  for (const key of [...said.keys()]) if (key.startsWith(`${arm}.`)) said.delete(key);
}
const ACTIONS = {
  like: (said) => likeOf(said, "a", "b"),
  add(said) {
    const arms = Number(said.get("arms"));
    if (arms === 4) return;
    said.set("arms", arms + 1);
    likeOf(said, letter(arms - 1), letter(arms));
    said.set("explain", letter(arms));
  },
  drop(said) {
    const arms = Number(said.get("arms"));
    if (arms === 2) return;
    said.set("arms", arms - 1);
    without(said, letter(arms - 1));
    said.delete("explain");
    if (said.get("roadmap.arm") === letter(arms - 1)) said.delete("roadmap.arm");
  },
};
forms[0].addEventListener("click", ({ target }) => {
  const action = target.dataset?.do;
  if (action) rebuild(ACTIONS[action]);
});
place("reset").addEventListener("click", () =>
  rebuild((said) => {
    for (const key of [...said.keys()]) said.delete(key);
  }),
);
place("link").addEventListener("click", async ({ target }) => {
  try {
    await navigator.clipboard.writeText(location.href);
    target.textContent = "Link copied";
  } catch {
    target.textContent = "Copy it from the address bar";
  }
  setTimeout(() => (target.textContent = "Copy link"), 3000);
});

// --- tips ---------------------------------------------------------------------------------------

const tip = (name) => name?.querySelector(".tip");
const nameOf = (target) => (target instanceof Element ? target.closest(".name") : null);
function hideTips(but) {
  for (const each of document.querySelectorAll(".tip:not([hidden])")) if (each !== but) each.hidden = true;
}
function showTip({ target }) {
  const name = nameOf(target);
  const found = tip(name);
  hideTips(found);
  if (!found?.hidden) return;
  found.hidden = false;
  // Below its name, or above it where there is more room.
  const { top, bottom } = name.getBoundingClientRect();
  const { left, width } = name.closest(".row").getBoundingClientRect();
  found.style.width = `${Math.max(width, Math.min(560, innerWidth - left - 16))}px`;
  const below = innerHeight - bottom >= Math.min(found.offsetHeight, top);
  Object.assign(found.style, {
    left: `${left}px`,
    top: below ? `${bottom}px` : "auto",
    bottom: below ? "auto" : `${innerHeight - top}px`,
    maxHeight: `${below ? innerHeight - bottom : top}px`,
  });
  if (found.scrollHeight > found.clientHeight) found.tabIndex = 0; // to be scrolled by keys
  else found.removeAttribute("tabindex");
}
document.addEventListener("mouseover", showTip);
document.addEventListener("focusin", showTip);
document.addEventListener("scroll", ({ target }) => target.classList?.contains("tip") || hideTips(), true);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTips();
});

// --- tabs ---------------------------------------------------------------------------------------

const tabs = [...document.querySelectorAll("[role=tab]")];
function open(name, focus = false) {
  view = name in VIEWS ? name : "compare";
  for (const tab of tabs) {
    const chosen = tab.id === `tab-${view}`;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    if (chosen && focus) tab.focus();
    place(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
  watch.pause();
  problem.textContent = refused;
  history.replaceState(null, "", `${location.search}#${view}`);
  changed();
}
tabs.forEach((tab, number) => {
  const go = (to) => open(tabs[(to + tabs.length) % tabs.length].id.slice(4), true);
  tab.addEventListener("click", () => go(number));
  tab.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowRight") go(number + 1);
    if (key === "ArrowLeft") go(number - 1);
    if (key === "Home") go(0);
    if (key === "End") go(tabs.length - 1);
  });
});

// --- watch: one clock for all organizations -----------------------------------------------------

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const watch = {
  data: null,
  stretch: 0,
  marks: new Map(), // by entity
  begin(data) {
    this.data = data;
    place("places").innerHTML = data.html;
    place("stretches").innerHTML = '<legend class="hidden">Which week</legend>';
    data.stretches.forEach((each, number) => {
      const label = document.createElement("label");
      const radio = document.createElement("input");
      Object.assign(radio, { type: "radio", name: "stretch", value: number });
      radio.checked = number === this.stretch;
      radio.addEventListener("change", () => this.choose(number));
      label.append(radio, ` ${each.name} week (${each.week})`);
      place("stretches").append(label);
    });
    place("clock").hidden = false;
    this.choose(this.stretch);
  },
  choose(number) {
    this.stretch = number;
    for (const mark of this.marks.values()) mark.remove();
    this.marks.clear();
    this.draw();
  },
  draw() {
    const hour = Number(place("hour").value);
    const { week, entities } = this.data.stretches[this.stretch];
    const time = `week ${week}, ${DAYS[Math.floor(hour / 24)]} ${String(hour % 24).padStart(2, "0")}:00`;
    place("now").textContent = time;
    place("hour").setAttribute("aria-valuetext", time);
    const before = new Map();
    for (const [entity, mark] of this.marks) before.set(entity, mark.getBoundingClientRect());
    for (const entity of entities) {
      const stay = entity.stays.find(([, from, to]) => from <= hour && hour < to);
      let mark = this.marks.get(entity);
      if (!stay) {
        mark?.remove();
        this.marks.delete(entity);
        continue;
      }
      if (!mark) {
        mark = document.createElement("i");
        const look = this.data.looks[entity.what];
        mark.textContent = look.mark;
        mark.style.color = look.colour;
        mark.title = entity.name;
        this.marks.set(entity, mark);
      }
      if (mark.dataset.at !== stay[0]) {
        mark.dataset.at = stay[0];
        document.querySelector(`[data-place="${CSS.escape(stay[0])}"]`).append(mark);
      }
    }
    this.count();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const [entity, mark] of this.marks) {
      const old = before.get(entity);
      const now = mark.getBoundingClientRect();
      if (old?.width && now.width && (old.x !== now.x || old.y !== now.y))
        mark.animate(
          [{ transform: `translate(${old.x - now.x}px, ${old.y - now.y}px)` }, { transform: "none" }],
          { duration: 180, easing: "ease-out" },
        );
    }
  },
  // Marks for which there is no room are a number.
  count() {
    for (const cell of document.querySelectorAll("#places [data-place]")) {
      const marks = [...cell.children];
      for (const mark of marks) mark.hidden = false;
      const width = marks[0]?.getBoundingClientRect().width || 1;
      const room = Math.floor((cell.clientWidth - 10) / width);
      const fit = marks.length > room ? Math.max(room - 3, 0) : marks.length;
      marks.forEach((mark, number) => (mark.hidden = number >= fit));
      cell.dataset.more = marks.length > fit ? `+${marks.length - fit}` : "";
      cell.setAttribute("aria-label", marks.length);
    }
  },
  playing: 0,
  pause() {
    clearInterval(this.playing);
    this.playing = 0;
    place("play").textContent = "Play";
    place("play").setAttribute("aria-pressed", false);
  },
  play() {
    place("play").textContent = "Pause";
    place("play").setAttribute("aria-pressed", true);
    this.playing = setInterval(() => {
      const clock = place("hour");
      clock.value = (Number(clock.value) + 1) % (Number(clock.max) + 1);
      this.draw();
    }, 220);
  },
};
place("play").addEventListener("click", () => (watch.playing ? watch.pause() : watch.play()));
place("hour").addEventListener("input", () => watch.draw());

// --- one's own organization ---------------------------------------------------------------------

async function post(address, body, kind) {
  place("uploaded").textContent = "checking";
  try {
    const headers = { "Content-Type": kind };
    const response = await fetch(address, { method: "POST", body, headers });
    if (response.ok) uploaded(await response.json());
    else place("uploaded").textContent = await response.text();
  } catch {
    place("uploaded").textContent = NO_SERVER;
  }
  place("uploaded").scrollIntoView({ block: "nearest" });
}
place("file").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  const most = Number(target.dataset.most);
  if (file.size > most)
    place("uploaded").textContent = `${file.name} is larger than ${most / 1000} kB.`;
  else post("upload", file, "application/yaml");
});
place("describe").addEventListener("submit", (event) => {
  event.preventDefault();
  const said = Object.fromEntries(new FormData(event.target));
  post("describe", JSON.stringify(said), "application/json");
});

function uploaded({ name, label, text }) {
  const said = place("uploaded");
  said.textContent = `${label} is there. `;
  for (const arm of "abcd".slice(0, Number(query().get("arms")))) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `Use it as ${arm.toUpperCase()}`;
    button.addEventListener("click", async () => {
      await rebuild((state) => {
        without(state, arm);
        state.delete("roadmap.role");
        state.set(`${arm}.organization`, name);
      });
      open("compare", true);
    });
    said.append(button, " ");
  }
  if (!text) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  link.download = `${label}.yaml`;
  link.textContent = `Download ${label}.yaml`;
  said.append(link);
}

// --- begin --------------------------------------------------------------------------------------

// A browser keeps few connections to one host: tabs that nobody looks at give theirs back.
document.addEventListener("visibilitychange", () => {
  if (complete) return;
  if (document.hidden) asked?.abort();
  else ask(query().toString(), true);
});
addEventListener("resize", () => watch.data && watch.count());
addEventListener("hashchange", () => open(location.hash.slice(1)));
if (refused) refused += "\nThis link cannot be shown; here is what the page opens with.";
open(location.hash.slice(1));
