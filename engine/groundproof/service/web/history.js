// Earlier questions of this service, to be opened again. Knows the list of jobs.

import { get } from "./api.js";
import { byId, element } from "./dom.js";

const MOST = 100;

/** Let the person choose; open(job's id) hears of it. */
export async function showHistory(open) {
  const dialog = byId("history");
  const list = byId("jobs");
  list.replaceChildren(element("li", {}, "…"));
  dialog.showModal();
  const line = ({ jobID: id, title, status, created }) => {
    const facts = element("span", { class: "facts" }, `${new Date(created).toLocaleString()} · ${status}`);
    const go = () => {
      dialog.close();
      open(id);
    };
    return element("li", {}, element("button", { type: "button", class: "go", onclick: go }, title ?? id, facts));
  };
  try {
    const { jobs } = await get("jobs", { limit: MOST });
    const asked = jobs.filter(({ processID }) => processID === "ask");
    list.replaceChildren(...asked.map(line));
    if (!asked.length) list.replaceChildren(element("li", {}, "Nothing was asked yet."));
  } catch (error) {
    list.replaceChildren(element("li", { class: "problem" }, error.message));
  }
}
