// The page of the simulator: what the server tells, shown where it belongs.

import { showAbout as showModels, showCloud } from "./cloud.js";
import { showAbout as showCatalogue, showLevers } from "./levers.js";
import { showAbout as showActions, showRequests } from "./requests.js";
import { setText } from "./page.js";

let state = null;
let now = 0;

function show() {
  if (state === null) return;
  showCloud(state, now);
  showLevers(state);
}

function connected(text, tone) {
  const connection = document.getElementById("connection");
  setText(connection, text);
  connection.dataset.tone = tone;
}

function follow() {
  const source = new EventSource("/console/events");
  const on = (name, use) => source.addEventListener(name, (event) => use(JSON.parse(event.data)));
  source.addEventListener("open", () => connected("Live", "good"));
  source.addEventListener("error", () => {
    connected("Not connected", "bad");
    // A browser that gives up is made to try again.
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000);
  });
  on("about", (about) => {
    setText(document.getElementById("region"), about.region);
    showModels(about);
    showCatalogue(about);
    showActions(about);
  });
  on("time", (time) => {
    now = time;
    show();
  });
  on("state", (content) => {
    state = content;
    show();
  });
  on("requests", showRequests);
}

setText(document.getElementById("endpoint"), location.origin);
follow();
