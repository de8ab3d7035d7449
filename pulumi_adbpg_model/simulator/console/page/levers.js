// Holding deployments, and switching faults on and off.

import { ask, element, keyed, setText, tell } from "./page.js";

const form = document.getElementById("fault-form");
const { fault, action, times, lasting } = form.elements;
const hold = document.getElementById("hold");
let docs = {};
let held = false;

export function showAbout({ faults, actions }) {
  docs = faults;
  const options = (names) => names.map((name) => new Option(name, name));
  const [chosen, call] = [fault.value, action.value];
  fault.replaceChildren(...options(Object.keys(faults)));
  action.replaceChildren(new Option("any", ""), ...options(actions));
  if (chosen in faults) [fault.value, action.value] = [chosen, call];
  explain();
}

export function showLevers(state) {
  held = state.held;
  setText(hold, held ? "Release" : "Hold");
  setText(document.getElementById("held"), held ? "Held until released."
    : "Each ends in its time.");
  document.getElementById("deployments").dataset.tone = held ? "pending" : "";
  keyed(document.getElementById("waiting"), state.faults, ({ number }) => number, makeFault, showFault);
}

function makeFault({ number, name }) {
  const item = document.createElement("li");
  const off = element("button", "Switch off");
  off.type = "button";
  off.setAttribute("aria-label", `Switch off ${name}`);
  off.addEventListener("click", () => attempt("DELETE", `/console/faults/${number}`, undefined,
    `${name} is off.`));
  item.append(element("strong", name), element("span", ""), off);
  return item;
}

function showFault(item, waiting) {
  const count = waiting.times === null ? "until switched off"
    : waiting.times === 1 ? "once" : `${waiting.times} times`;
  const after = waiting.after ? `, after ${waiting.after} more` : "";
  setText(item.children[1], `${waiting.action ?? "any call"}, ${count}${after}`);
}

function explain() {
  setText(document.getElementById("fault-doc"), docs[fault.value] ?? "");
}

async function attempt(method, path, content, done) {
  try {
    await ask(method, path, content);
    tell(done);
  } catch (error) {
    tell(error.message, "bad");
  }
}

fault.addEventListener("change", explain);
lasting.addEventListener("change", () => { times.disabled = lasting.checked; });
hold.addEventListener("click", () => attempt("PUT", "/console/deployments", { held: !held },
  held ? "Deployments are released." : "Deployments are held."));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt("POST", "/console/faults", {
    fault: fault.value,
    action: action.value || null,
    times: lasting.checked ? null : times.valueAsNumber,
  }, `${fault.value} is on.`);
});
