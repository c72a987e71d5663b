// The browser chat. What it shows comes as events (bot/browser.py); every bubble is put by its id, so twice is harmless.
"use strict";

const $ = (id) => document.getElementById(id);
const copy = (id) => $(id).content.firstElementChild.cloneNode(true);
const title = document.title;

const me = { chat: "", source: null, after: "", commands: [], people: [], failed: null, atEnd: true };

// Text: <b> and <i> are all that ever becomes markup; no HTML parser sees what came in

const SIGNS = { amp: "&", lt: "<", gt: ">", quot: '"' };

function safe(markup) {
  const out = document.createDocumentFragment();
  let inside = out;
  for (const piece of markup.split(/(<\/?[bi]>)/)) {
    if (/^<[bi]>$/.test(piece)) inside = inside.appendChild(document.createElement(piece[1]));
    else if (/^<\/[bi]>$/.test(piece)) inside = inside.parentNode ?? out;
    else inside.append(unescaped(piece));
  }
  return out;
}

const unescaped = (text) =>
  text.replace(/&(?:#(\d{1,6})|(\w+));/g, (whole, code, name) => (code ? String.fromCodePoint(code) : (SIGNS[name] ?? whole)));
const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

// The talk

function line(bubble) {
  const made = copy("a-line");
  made.dataset.id = bubble.id;
  made.dataset.day = bubble.day ?? "";
  made.classList.toggle("is-own", bubble.own);
  made.classList.toggle("is-sending", Boolean(bubble.sending));
  made.querySelector(".words").append(safe(bubble.html));
  made.querySelector("time").textContent = bubble.time ?? "";
  if (bubble.file) attach(made, bubble.file);
  const choices = made.querySelector(".choices");
  choices.hidden = bubble.choices.length === 0;
  for (const choice of bubble.choices) choices.append(button(bubble.id, choice));
  return made;
}

function attach(made, file) {
  const link = made.querySelector(file.kind === "picture" ? ".picture" : ".file");
  link.hidden = false;
  link.href = file.url;
  if (file.kind === "picture") {
    link.firstElementChild.addEventListener("load", () => isNearEnd(400) && scrollDown());
    link.firstElementChild.src = file.url;
  } else {
    link.download = file.name;
    link.querySelector("b").textContent = file.name;
  }
}

function button(bubbleId, choice) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = choice.label;
  made.addEventListener("click", () => tap(made, bubbleId, choice.token));
  return made;
}

function put(bubble) {
  const talk = $("talk");
  const near = isNearEnd();
  const old = find(bubble.id);
  const made = line(bubble);
  if (old?.dataset.day) {
    const hadFocus = old.contains(document.activeElement);
    made.style.animation = "none";
    old.replaceWith(made);
    if (hadFocus) (made.querySelector("button") ?? talk).focus({ preventScroll: true });
  } else {
    old?.remove();
    talk.querySelector(".nothing")?.remove();
    separate(made);
    talk.append(made);
  }
  if (near || bubble.own) scrollDown();
  else $("newer").hidden = false;
}

const find = (id) => [...$("talk").children].find((child) => child.dataset.id === id);

function separate(made) {
  const last = [...$("talk").children].findLast((child) => child.dataset.day)?.dataset.day;
  if (!made.dataset.day || made.dataset.day === last) return;
  const day = copy("a-day");
  day.firstElementChild.textContent = made.dataset.day;
  $("talk").append(day);
}

function showAll(bubbles) {
  const talk = $("talk");
  talk.setAttribute("aria-busy", "true");
  talk.replaceChildren();
  for (const bubble of bubbles) put(bubble);
  talk.setAttribute("aria-busy", "false");
  scrollDown();
}

function showNothing() {
  if ($("talk").childElementCount) return;
  const made = copy("nothing-yet");
  made.classList.toggle("is-guest", current()?.is_guest ?? true);
  made.querySelector("button").addEventListener("click", () => say("/start"));
  $("talk").append(made);
}

function isNearEnd(within = 120) {
  const talk = $("talk");
  return talk.scrollHeight - talk.scrollTop - talk.clientHeight < within;
}

function scrollDown() {
  $("talk").scrollTop = $("talk").scrollHeight;
  $("newer").hidden = true;
  me.atEnd = true;
}

function showWorking(on) {
  $("working").hidden = !on;
  if (!on) for (const made of $("talk").querySelectorAll(".choices button")) release(made);
}

// Saying and tapping

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw answer;
}

async function say(text) {
  const chat = me.chat;
  const again = me.failed?.chat === chat && me.failed.text === text;
  const key = again ? me.failed.key : crypto.randomUUID();
  me.failed = null;
  $("not-sent").hidden = $("too-long").hidden = true;
  put({ id: key, own: true, html: escaped(text), choices: [], sending: true });
  try {
    await post("/say", { chat, text, key });
    find(key)?.classList.remove("is-sending");
  } catch (failure) {
    takeBack(chat, text, key, failure);
  }
}

function takeBack(chat, text, key, failure) {
  // A bubble the program has shown since is with it: nothing to take back.
  const shown = find(key);
  if (shown?.dataset.day) return;
  shown?.remove();
  me.failed = { chat, text, key };
  keepTyped(chat, [text, typed(chat)].filter(Boolean).join("\n"));
  if (chat === me.chat) fillBox();
  $(failure.status === 413 ? "too-long" : "not-sent").hidden = false;
}

async function tap(made, onMessage, token) {
  for (const other of made.parentElement.children) other.disabled = true;
  made.classList.add("is-pressed");
  try {
    await post("/tap", { chat: me.chat, token, on_message: onMessage, key: crypto.randomUUID() });
  } catch {
    for (const other of made.parentElement.children) release(other);
  }
}

function release(made) {
  made.disabled = false;
  made.classList.remove("is-pressed");
}

// What was typed is kept for each person, also over a reload

const typed = (chat) => sessionStorage.getItem(`typed ${chat}`) ?? "";

function keepTyped(chat, text) {
  if (text) sessionStorage.setItem(`typed ${chat}`, text);
  else sessionStorage.removeItem(`typed ${chat}`);
}

function fillBox() {
  $("text").value = typed(me.chat);
  fitBox();
}

function fitBox() {
  const box = $("text");
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight + 2, 132)}px`;
}

function sendTyped() {
  const text = $("text").value.trim();
  if (!text) return;
  keepTyped(me.chat, "");
  fillBox();
  showMenu(false);
  say(text);
}

// The commands behind "/"

function takeCommands(commands) {
  me.commands = commands;
  $("open-menu").hidden = commands.length === 0;
}

function showMenu(on, start = "") {
  const commands = me.commands.filter((command) => `/${command.name}`.startsWith(start));
  const open = on && commands.length > 0;
  $("menu").replaceChildren(...(open ? commands.map(commandButton) : []));
  $("menu").hidden = !open;
  $("open-menu").setAttribute("aria-expanded", String(open));
}

function commandButton(command) {
  const made = copy("a-command");
  made.querySelector("b").textContent = `/${command.name}`;
  made.querySelector("span").textContent = command.description;
  made.addEventListener("click", () => {
    if ($("text").value.startsWith("/")) keepTyped(me.chat, "");
    fillBox();
    showMenu(false);
    say(`/${command.name}`);
  });
  return made;
}

// The people to be

const everybody = () => me.people.flatMap((group) => group.people);
const current = () => everybody().find((person) => person.chat === me.chat);

function showPeople(groups) {
  me.people = groups;
  const focused = document.activeElement?.dataset?.chat;
  $("groups").replaceChildren(...groups.map(groupSection));
  if (focused) $("groups").querySelector(`[data-chat="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  const unread = everybody().reduce((sum, person) => sum + (person.chat === me.chat ? 0 : person.unread), 0);
  $("elsewhere").hidden = unread === 0;
  $("elsewhere").textContent = unread;
  document.title = unread ? `(${unread}) ${title}` : title;
  showSelf();
}

function groupSection(group) {
  const made = copy("a-group");
  made.querySelector("h3").textContent = group.unit;
  for (const person of group.people) made.append(personButton(person));
  return made;
}

function personButton(person) {
  const made = copy("a-person");
  made.dataset.chat = person.chat;
  made.setAttribute("aria-current", String(person.chat === me.chat));
  const face = made.querySelector(".face");
  face.textContent = person.name.split(/\s+/).slice(-2).map((word) => word[0]).join("").toUpperCase();
  face.classList.add(`tone-${[...person.chat].reduce((sum, sign) => (sum * 31 + sign.codePointAt(0)) % 8, 0)}`);
  made.querySelector("b").textContent = person.name;
  made.querySelector("small").textContent = person.role;
  const badge = made.querySelector(".badge");
  badge.hidden = person.unread === 0 || person.chat === me.chat;
  badge.firstElementChild.textContent = person.unread;
  made.addEventListener("click", () => {
    location.hash = encodeURIComponent(person.chat);
    openDrawer(false);
  });
  return made;
}

function showSelf() {
  const person = current();
  $("as-name").textContent = person?.name ?? "";
  $("as-role").textContent = person ? ` · ${person.role}` : "";
}

function openDrawer(on) {
  $("people").classList.toggle("is-open", on);
  $("open-people").setAttribute("aria-expanded", String(on));
  $("phone").inert = on;
  if (on) ($("groups").querySelector('[aria-current="true"]') ?? $("close-people")).focus();
  else if (document.activeElement === document.body) $("open-people").focus();
}

// The clock

function showClock(clock) {
  if ($("clock").textContent !== clock.text) $("clock").textContent = clock.text;
  $("days").hidden = $("change-day").hidden = !clock.can_move;
  $("day").min = clock.today;
  $("day").max = clock.last;
  for (const made of $("moves").querySelectorAll("[data-to]")) {
    const leadsTo = clock.choices[made.dataset.to];
    made.disabled = !leadsTo;
    made.querySelector("small").textContent = leadsTo ?? "";
  }
}

async function move(to) {
  $("clock-said").hidden = true;
  $("moving").hidden = false;
  $("moves").inert = true;
  try {
    await post("/clock", { to });
    openDays(false);
  } catch (failure) {
    if (failure.status === 409) sayOfClock((await failure.json()).say);
  } finally {
    $("moves").inert = false;
    $("moving").hidden = true;
  }
}

function sayOfClock(sentence) {
  $("clock-said").textContent = sentence;
  $("clock-said").hidden = false;
}

function openDays(on) {
  document.querySelector(".trial").classList.toggle("is-open", on);
  $("change-day").setAttribute("aria-expanded", String(on));
  if (!on) openPicker(false);
}

function openPicker(on) {
  $("picking").hidden = !on;
  $("pick-day").setAttribute("aria-expanded", String(on));
  if (on) $("day").value ||= $("day").min;
  if (on) $("day").focus();
}

// The line to the program

function listen() {
  me.source?.close();
  const source = new EventSource(`/events?chat=${encodeURIComponent(me.chat)}&after=${encodeURIComponent(me.after)}`);
  me.source = source;
  const on = (name, act) => source.addEventListener(name, (event) => {
    if (event.lastEventId) me.after = event.lastEventId;
    act(JSON.parse(event.data));
  });
  on("talk", showAll);
  on("bubble", put);
  on("working", showWorking);
  on("clock", showClock);
  on("people", showPeople);
  on("menu", takeCommands);
  on("ready", () => {
    $("lost").hidden = true;
    showNothing();
  });
  source.onerror = () => {
    if (me.source !== source) return;
    $("lost").hidden = false;
    if (source.readyState === EventSource.CLOSED) setTimeout(() => me.source === source && listen(), 2000);
  };
}

function open(chat) {
  me.chat = chat;
  me.after = "";
  me.failed = null;
  for (const id of ["not-sent", "too-long", "newer", "working"]) $(id).hidden = true;
  $("talk").replaceChildren();
  showMenu(false);
  fillBox();
  showPeople(me.people);
  listen();
}

const wanted = () => everybody().find((person) => encodeURIComponent(person.chat) === location.hash.slice(1));

function openWanted() {
  const { chat } = wanted() ?? everybody()[0];
  if (chat !== me.chat) open(chat);
}

async function begin() {
  try {
    showPeople(await (await fetch("/people")).json());
    openWanted();
  } catch {
    $("lost").hidden = false;
    setTimeout(begin, 2000);
  }
}

// Hands on the page

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  sendTyped();
});
$("text").addEventListener("input", () => {
  keepTyped(me.chat, $("text").value);
  fitBox();
  showMenu($("text").value.startsWith("/") && !/\s/.test($("text").value), $("text").value);
});
$("text").addEventListener("keydown", (event) => {
  // Telex and VNI finish a word with Enter too: not ours while they compose.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  sendTyped();
});
$("open-menu").addEventListener("click", () => {
  showMenu($("menu").hidden);
  $("menu").firstElementChild?.focus();
});
$("newer").addEventListener("click", () => scrollDown());
$("talk").addEventListener("scroll", () => {
  me.atEnd = isNearEnd();
  if (me.atEnd) $("newer").hidden = true;
});
new ResizeObserver(() => me.atEnd && scrollDown()).observe($("talk"));
$("open-people").addEventListener("click", () => openDrawer(true));
$("close-people").addEventListener("click", () => openDrawer(false));
$("veil").addEventListener("click", () => openDrawer(false));
$("change-day").addEventListener("click", () => openDays($("change-day").getAttribute("aria-expanded") === "false"));
$("pick-day").addEventListener("click", () => openPicker($("picking").hidden));
$("picking").addEventListener("submit", (event) => {
  event.preventDefault();
  move($("day").value);
});
for (const made of $("moves").querySelectorAll("[data-to]")) made.addEventListener("click", () => move(made.dataset.to));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  showMenu(false);
  openDays(false);
  if ($("people").classList.contains("is-open")) openDrawer(false);
});
addEventListener("hashchange", () => (wanted() ? openWanted() : begin()));
matchMedia("(min-width: 860px)").addEventListener("change", () => openDrawer(false));
// A page out of sight lets go of its line: a browser has only six to one address, and reading is what counts as read.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) me.source?.close();
  else if (me.chat) listen();
});
begin();
