// Shows what the sandbox tells, appends and never draws anew, and sends what is pressed. The sandbox escapes all HTML.
"use strict";

// Older entries leave the page.
const MOST_ENTRIES = 2000;

const find = (id) => document.getElementById(id);
const [scroller, log, places, panel] = ["scroller", "log", "places", "panel"].map(find);
const [told, toEnd] = ["told", "to-end"].map(find);
const token = document.querySelector("meta[name=sandbox-token]").content;

let waiting = [];
let place = "";
const counts = new Map();

// Many events that come at once are one change of the page.
function take(event) {
  if (waiting.push({ name: event.type, data: JSON.parse(event.data) }) === 1) setTimeout(show, 40);
}

function show() {
  const events = waiting;
  waiting = [];
  const added = document.createDocumentFragment();
  const seen = [];
  for (const { name, data } of events) {
    if (name === "card") {
      // Of a card that came just now, or earlier.
      changeCard(added, data) || changeCard(log, data);
      continue;
    }
    const entry = element(data.html);
    entry.dataset.place = data.place;
    entry.hidden = place !== "" && data.place !== place;
    added.append(entry);
    if (data.place) seen.push(data.place);
  }
  if (added.childElementCount > 0) {
    find("empty")?.remove();
    log.append(added);
    while (log.childElementCount > MOST_ENTRIES) log.firstElementChild.remove();
  }
  seen.forEach(count);
  if (seen.length > 0) toEnd.hidden = isAtEnd();
}

function element(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

function changeCard(where, { card, html }) {
  const entry = where.querySelector(`[data-card="${card}"]`);
  if (!entry) return false;
  const face = entry.querySelector(".face");
  const hadFocus = face.contains(document.activeElement);
  face.innerHTML = html;
  // They were about what it showed before.
  entry.querySelectorAll(".remark").forEach((remark) => remark.remove());
  if (hadFocus) entry.focus();
  return true;
}

// The scroller runs from the end upward: what is appended comes into sight, unless somebody has scrolled back.

const isAtEnd = () => scroller.scrollTop > -60;

function goToEnd() {
  scroller.scrollTop = 0;
  toEnd.hidden = true;
}

toEnd.addEventListener("click", goToEnd);
scroller.addEventListener("scroll", () => isAtEnd() && (toEnd.hidden = true), { passive: true });

// Channels and chats.

function count(name) {
  let button = counts.get(name);
  if (!button) {
    button = document.createElement("button");
    button.type = "button";
    button.dataset.place = name;
    button.setAttribute("aria-pressed", "false");
    button.append(name, " ", document.createElement("b"));
    places.append(button);
    counts.set(name, button);
  }
  const number = button.querySelector("b");
  number.textContent = Number(number.textContent) + 1;
}

places.addEventListener("click", (event) => {
  const chosen = event.target.closest("button");
  if (!chosen) return;
  place = chosen.dataset.place;
  for (const button of places.children) button.setAttribute("aria-pressed", String(button === chosen));
  for (const entry of log.children) entry.hidden = place !== "" && entry.dataset.place !== place;
  goToEnd();
});

// What changes something.

async function send(path, body) {
  try {
    const answer = await fetch(`sandbox/${path}`, { method: "POST", headers: { "X-Sandbox-Token": token }, body });
    tell(await answer.text(), !answer.ok);
  } catch {
    tell("The sandbox does not answer.", true);
  }
}

let fading;
function tell(words, isTrouble) {
  told.textContent = words;
  told.classList.toggle("trouble", isTrouble);
  clearTimeout(fading);
  fading = setTimeout(() => (told.textContent = ""), 8000);
}

log.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-key]");
  const entry = event.target.closest("[data-card]");
  if (!button || !entry) return;
  const card = button.closest("form") ?? entry;
  const chosen = [...card.querySelectorAll("input[data-question]:checked, select[data-question]")];
  const options = chosen.map((option) => `${option.dataset.question}=${option.value}`);
  const user = entry.querySelector(".presser select").value;
  send("press", JSON.stringify({ card: Number(entry.dataset.card), key: button.dataset.key, user, options }));
});

panel.addEventListener("change", ({ target }) => {
  if (target.id === "with-requests") {
    log.classList.toggle("with-requests", target.checked);
  } else if (target.dataset.on) {
    send("order", target.checked ? target.dataset.on : target.dataset.off);
  }
});

panel.addEventListener("click", ({ target }) => {
  const order = target.closest("button[data-order]")?.dataset.order;
  if (order) send("order", order);
});

panel.addEventListener("submit", (event) => {
  event.preventDefault();
  const { code, times, endpoint, user, words } = event.target.elements;
  if (words) {
    send("order", `word ${user.value} ${words.value}`);
    words.value = "";
  } else {
    send("order", `${code.value} ${times.value} ${endpoint.value}`);
  }
});

function showState({ on, scripted }) {
  for (const input of panel.querySelectorAll("input[data-on]")) input.checked = on.includes(input.dataset.on);
  const lines = scripted.map(({ endpoint, words }) => {
    const [line, button] = [document.createElement("li"), document.createElement("button")];
    button.type = "button";
    button.dataset.order = `normal ${endpoint}`;
    button.textContent = "End";
    button.setAttribute("aria-label", `End: ${words}`);
    line.append(words, " ", button);
    return line;
  });
  find("scripted").replaceChildren(...lines);
}

find("open-panel").addEventListener("click", ({ currentTarget }) => {
  const isOpen = document.body.classList.toggle("with-panel");
  currentTarget.setAttribute("aria-expanded", String(isOpen));
});

// The feed.

const source = new EventSource("sandbox/events");
const connection = (words) => (find("connection").textContent = words);
source.addEventListener("open", () => connection("live"));
source.addEventListener("error", () => connection("the sandbox does not answer"));
source.addEventListener("entry", take);
source.addEventListener("card", take);
source.addEventListener("state", (event) => showState(JSON.parse(event.data)));
// Another sandbox is at this address now.
source.addEventListener("restart", () => location.reload());
