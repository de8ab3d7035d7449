// The log of requests, newest first.

import { copy, fill, list, setText } from "./page.js";

// As many as the server sends to a page that has just opened.
const SHOWN = 200;
const log = document.getElementById("requests");
const terse = document.getElementById("terse");
let mutations = [];
let total = 0;

export function showAbout(about) {
  mutations = about.mutations;
}

export function showRequests({ anew, new: requests }) {
  if (anew) {
    log.replaceChildren();
    total = 0;
  }
  for (const request of requests) {
    log.prepend(entry(request));
    total = request.number;
  }
  while (log.children.length > SHOWN) log.lastChild.remove();
  setText(document.getElementById("count"), total > SHOWN ? `the last ${SHOWN} of ${total}`
    : total ? String(total) : "");
}

function entry(request) {
  const { action, parameters, status, code, fault } = request;
  const item = copy("request");
  const well = status !== null && status < 400 && !fault;
  item.classList.toggle("read", !mutations.includes(action));
  item.dataset.tone = fault ? "pending" : well ? "good" : "bad";
  const moment = new Date(request.time * 1000);
  const time = item.querySelector("time");
  time.dateTime = moment.toISOString();
  time.textContent = moment.toLocaleTimeString("en-GB");
  fill(item, {
    action: action || "no action",
    result: status === null ? "no answer" : String(status),
    code: code ?? "",
    fault: fault ? `fault: ${fault}` : "",
    brief: brief(parameters),
  });
  list(item.querySelector(".all"), [
    ["path", request.path],
    ...Object.entries(parameters),
    ...Object.entries(request.headers),
  ]);
  return item;
}

function brief(parameters) {
  const shown = Object.entries(parameters).filter(([name]) => name !== "ClientToken");
  return shown.map(([name, value]) => `${name}=${value}`).join("  ") || "no parameters";
}

terse.addEventListener("change", () => log.classList.toggle("terse", terse.checked));
