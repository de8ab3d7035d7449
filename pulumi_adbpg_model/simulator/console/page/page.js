// Small helpers. Texts of the cloud go through textContent only: they are never markup.

/** A copy of what a template holds. */
export function copy(name) {
  return document.getElementById(`${name}-template`).content.firstElementChild.cloneNode(true);
}

/** An element with a text. */
export function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

/** Set a text where it differs, so that selections and screen readers are left in peace. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Set the texts of the elements named by data-field. */
export function fill(root, texts) {
  for (const [name, text] of Object.entries(texts)) {
    setText(root.querySelector(`[data-field="${name}"]`), text);
  }
}

/** One child per item: kept by its key, filled anew, removed with its item. */
export function keyed(parent, items, key, make, refill) {
  const kept = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = new Set(items.map((item) => String(key(item))));
  for (const [id, child] of kept) {
    if (!wanted.has(id)) child.remove();
  }
  items.forEach((item, index) => {
    const id = String(key(item));
    const child = kept.get(id) ?? make(item);
    child.dataset.key = id;
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
    refill(child, item);
  });
}

/** Names and values in a description list. */
export function list(parent, values) {
  keyed(parent, values, ([name]) => name,
    ([name]) => {
      const row = document.createElement("div");
      row.append(element("dt", name), element("dd", ""));
      return row;
    },
    (row, [, value]) => setText(row.lastChild, value));
}

/** A number of seconds in words of at most two units. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [s, m, h, d] = [whole % 60, Math.floor(whole / 60) % 60, Math.floor(whole / 3600) % 24,
    Math.floor(whole / 86400)];
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} min`;
  return m ? `${m} min ${s} s` : `${s} s`;
}

/** Which colour a status has; its word stands beside it. */
export function tone(status) {
  const word = String(status).toLowerCase();
  if (word === "active") return "good";
  if (word.includes("fail") || word.includes("error")) return "bad";
  return word.startsWith("delet") ? "leaving" : "pending";
}

/** Tell what an action of the person has done. */
export function tell(text, toneOfIt = "good") {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.dataset.tone = toneOfIt;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { toast.textContent = ""; }, 5000);
}

/** Ask the simulator for a change; an Error says why it was refused. */
export async function ask(method, path, content) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { "Content-Type": "application/json" },
      body: content === undefined ? undefined : JSON.stringify(content),
    });
  } catch {
    throw new Error("The simulator does not answer.");
  }
  if (response.ok) return;
  const refusal = await response.json().catch(() => ({}));
  throw new Error(refusal.error ?? `The simulator answered ${response.status}.`);
}
