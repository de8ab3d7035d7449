// Instances, their nodes and their services, and the levers on a service.

import { ask, copy, duration, element, fill, keyed, list, setText, tell, tone } from "./page.js";

const changing = document.getElementById("change");
const removing = document.getElementById("removal");
const FIELDS = ["status", "model_name", "description", "security_ip_list"];

const statuses = new Map();

export function showAbout({ models }) {
  document.getElementById("models").replaceChildren(...models.map((name) => {
    const option = document.createElement("option");
    option.value = name;
    return option;
  }));
}

export function showCloud({ instances, held }, now) {
  keyed(document.getElementById("instances"), instances, ({ id }) => id,
    () => copy("instance"),
    (section, instance) => showInstance(section, instance, held, now));
  speak(instances.flatMap(({ services }) => services));
}

function showInstance(section, { id, nodes, services }, held, now) {
  const free = nodes.filter(({ bound }) => !bound).length;
  const count = services.length === 1 ? "1 service" : `${services.length} services`;
  fill(section, {
    id,
    sum: `${count}, ${free} of ${nodes.length} nodes free`,
    hint: `export ADBPG_ENDPOINT=${location.origin}`,
  });
  const byId = new Map(services.map((service) => [service.id, service]));
  keyed(section.querySelector(".nodes"), nodes, ({ name }) => name,
    () => copy("node"), (item, node) => showNode(item, node, byId));
  const shown = section.querySelector(".services");
  const focused = shown.contains(document.activeElement);
  keyed(shown, services, (service) => service.id, makeService,
    (item, service) => showService(item, service, held, now));
  // The service that had the keyboard is gone.
  if (focused && document.activeElement === document.body) section.querySelector("h2").focus();
}

function showNode(item, { name, bound, services }, byId) {
  fill(item, { name, status: services.map((id) => byId.get(id).status).join(", ") });
  item.dataset.tone = services.length ? tone(byId.get(services[0]).status) : "";
  const holders = item.querySelector("[data-field=holders]");
  const nothing = bound ? "still bound" : "free";
  keyed(holders, services.length ? services : [nothing], (id) => id,
    (id) => {
      const holder = element(byId.has(id) ? "a" : "span", "");
      if (byId.has(id)) holder.href = `#${id}`;
      return holder;
    },
    (holder, id) => {
      setText(holder, byId.get(id)?.model_name ?? id);
      holder.title = byId.has(id) ? id : "";
    });
}

function makeService(service) {
  const item = copy("service");
  item.id = service.id;
  for (const button of item.querySelectorAll("button")) {
    button.addEventListener("click", () => levers[button.dataset.act](item.service));
    button.setAttribute("aria-label", `${button.textContent} ${service.id}`);
  }
  return item;
}

function showService(item, service, held, now) {
  const { status } = service;
  const changed = item.service !== undefined && item.service.status !== status;
  item.service = service;
  fill(item, {
    id: service.id,
    status,
    model_name: service.model_name,
    age: `${duration(now - service.created_at)} old${ahead(service, held, now)}`,
    ai_nodes: service.ai_nodes.join(", "),
    security_ip_list: service.security_ip_list.join(", "),
    description: service.description || "none",
  });
  item.dataset.tone = tone(status);
  item.querySelector("[data-field=description]").classList.toggle("hint", !service.description);
  list(item.querySelector(".all"), Object.entries(service)
    .filter(([name]) => !["id", "due_at", "created_at"].includes(name))
    .map(([name, value]) => [name, value === null ? "none"
      : typeof value === "string" ? value : JSON.stringify(value)]));
  if (changed) item.animate([{ outlineColor: "var(--accent)" }, {}], 1500);
}

function ahead({ status, due_at: due }, held, now) {
  if (due === null) return "";
  if (tone(status) === "leaving") return `, gone in ${duration(due - now)}`;
  return held ? ", held" : `, done in ${duration(due - now)}`;
}

/** Say aloud what has changed since the last time. */
function speak(services) {
  const news = services.filter(({ id, status }) => statuses.has(id) && statuses.get(id) !== status)
    .map(({ id, model_name: model, status }) => `${model}, ${id}: ${status}.`);
  const gone = [...statuses.keys()].filter((id) => !services.some((service) => service.id === id))
    .map((id) => `${id} is gone.`);
  statuses.clear();
  for (const { id, status } of services) statuses.set(id, status);
  if (news.length + gone.length) {
    setText(document.getElementById("spoken"), [...news, ...gone].join(" "));
  }
}

const pathOf = (service) => `/console/services/${encodeURIComponent(service.id)}`;

const levers = {
  async fail(service) {
    try {
      await ask("PATCH", pathOf(service), { status: "deploy_failed" });
      tell(`${service.id} has failed.`);
    } catch (error) {
      tell(error.message, "bad");
    }
  },
  change(service) {
    const form = changing.querySelector("form");
    for (const name of FIELDS) form.elements[name].value = valueOf(service, name);
    open(changing, service, async () => {
      const changes = FIELDS
        .map((name) => [name, form.elements[name].value.trim()])
        .filter(([name, value]) => value !== valueOf(service, name));
      if (!changes.length) return;
      await ask("PATCH", pathOf(service), Object.fromEntries(changes));
      tell(`${service.id} was changed.`);
    });
  },
  remove(service) {
    open(removing, service, async () => {
      await ask("DELETE", pathOf(service));
      tell(`${service.id} was deleted.`);
    });
  },
};

function valueOf(service, name) {
  const value = service[name];
  return Array.isArray(value) ? value.join(", ") : value ?? "";
}

/** Open a dialog on a service; it stays open while what it does is refused. */
function open(dialog, service, act) {
  const form = dialog.querySelector("form");
  const problem = dialog.querySelector(".problem");
  setText(dialog.querySelector("h2 code"), service.id);
  setText(problem, "");
  form.querySelector("[value=cancel]").onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await act();
      dialog.close();
    } catch (error) {
      setText(problem, error.message);
    }
  };
  dialog.showModal();
}
