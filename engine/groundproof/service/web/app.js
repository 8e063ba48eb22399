// The page's flow: imagery, question, job, answer, follow-up. Wires the parts; each knows its own.

import { Problem, SIGNED_OUT, address, ask, cancel, engine, get, picture, preview, watch } from "./api.js";
import { AnswerView } from "./answer.js";
import { byId, element } from "./dom.js";
import { showHistory } from "./history.js";
import { Imagery } from "./imagery.js";
import { SceneMap } from "./map.js";
import { polygon } from "./places.js";

const TASKS = {
  auto: "auto",
  count: "count",
  detect: "detect",
  ground: "ground a phrase",
  classify: "classify",
  caption: "caption",
  "region-caption": "caption of a region",
  "grounded-caption": "caption with boxes",
  vqa: "other question",
  change: "change between dates",
};
const LABELS = ["airplane", "storage tank", "ship"];
const ENGINE_POLL_MS = 2000;

let shown = { entries: [], job: null, at: -1 }; // entries: {query: of GET /preview.webp, scene}; job: whose they are
let job = null; // {id, request, stop, ended}
let loading = null; // AbortController of the picture being loaded
let rectangle = null; // pixels

const map = new SceneMap(byId("map"), {
  hover: (key) => point(key ? [key] : []),
  pick: (key) => answer.mark([key]),
  rectangle: (pixels) => {
    rectangle = pixels;
    before();
  },
});

const answer = new AnswerView(byId("answer"), {
  hover: point,
  fly: (keys) => map.fly(keys),
  show: (evidence) => showSceneOf(evidence),
  gone: (key) => map.remove(key),
  chosen: (chosen) => followUpAbout(chosen),
});

const imagery = new Imagery({
  problem: (sentence) => problem(sentence),
  changed: (entries) => {
    if (job && !job.ended) return;
    setScenes(entries.map(({ reference, scene }) => ({ query: reference, scene })), null, entries.length - 1);
    before();
  },
});

/* ---- the map and its scenes ---- */

/** Offer these scenes, and show one. owner: the job whose answer is drawn on them, or null. */
function setScenes(entries, owner, at) {
  shown = { entries, job: owner, at: -1 };
  const select = byId("shown");
  const title = ({ name, image, datetime }) => (image ? `${datetime ?? `date ${image + 1}`} of ${name}` : name);
  select.replaceChildren(...entries.map(({ scene }, n) => element("option", { value: n }, title(scene))));
  select.hidden = entries.length < 2;
  if (entries.length) showScene(Math.max(at, 0));
}

async function showScene(at) {
  if (shown.at === at) return;
  shown.at = at;
  byId("shown").value = at;
  const { query, scene } = shown.entries[at];
  map.show(scene);
  rectangle = null;
  if (where() === "rectangle") map.startRectangle();
  if (shown.job) {
    for (const evidence of answer.all()) if (isOn(evidence, scene)) map.draw(evidence);
    showFailed();
  }
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  try {
    const url = await picture(query, signal);
    if (!signal.aborted) map.picture(url);
  } catch (error) {
    if (error.name !== "AbortError") problem(`The scene cannot be shown: ${error.message}`);
  }
}

const isOn = (evidence, scene) => evidence.scene === scene.name && evidence.image === scene.image;

function showFailed() {
  const name = shown.entries[shown.at]?.scene.name;
  map.failed(job.failed.filter((one) => one.scene === name).map((one) => one.window));
}

/** Bring the scene on which an evidence of the job lies. */
function showSceneOf(evidence) {
  if (shown.job !== job.id) setScenes(job.entries, job.id, job.entries.findIndex(({ scene }) => isOn(evidence, scene)));
  const at = shown.entries.findIndex(({ scene }) => isOn(evidence, scene));
  if (at >= 0) showScene(at);
}

function point(keys) {
  map.highlight(keys);
  answer.highlight(keys);
}

/* ---- asking ---- */

function problem(sentence) {
  byId("problem").textContent = sentence ?? "";
  byId("problem").hidden = !sentence;
}

const where = () => document.querySelector("input[name=where]:checked").value;

/** What would be sent, in words, before it is. */
function before() {
  const count = imagery.references.length;
  const part = { whole: "", view: ", the part in view", rectangle: rectangle ? ", the rectangle" : "" }[where()];
  const missing = where() === "rectangle" && !rectangle;
  const wants = missing ? " Draw the rectangle on the map: a click for each of two corners." : "";
  byId("before").textContent = count ? `${count === 1 ? "One scene" : `${count} scenes`}${part}.${wants}` : "";
}

function area() {
  if (where() === "whole" || !map.scene) return {};
  const pixels = where() === "view" ? map.inView() : rectangle;
  if (!pixels) throw new Problem("No part of the scene is chosen. Draw a rectangle on the map, or ask about the whole.");
  const aoi = polygon(map.scene, pixels);
  if (!aoi) throw new Problem("That part reaches where the scene has no place on the map. Choose another.");
  return { aoi, aoi_crs: map.scene.crs };
}

async function submit(event) {
  event.preventDefault();
  problem(null);
  try {
    if (imagery.busy) throw new Problem("An image is still being sent.");
    if (!imagery.references.length) throw new Problem("Give an image first: drop a GeoTIFF, or choose a stored scene.");
    const question = byId("question").value.trim();
    const request = { question, scenes: imagery.references, task: byId("task").value, ...area() };
    if (imagery.scenes.some((scene) => !scene.crs)) request.pixel_space = true;
    await start(request);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    problem(error.message);
  }
}

/** Make a job of a request and watch it. */
async function start(request) {
  byId("submit").disabled = true;
  try {
    const { jobID: id } = await ask(request);
    history.pushState(null, "", `#job=${id}`);
    await open(id);
  } finally {
    byId("submit").disabled = false;
  }
}

/* ---- a job ---- */

async function open(id) {
  job?.stop();
  const { scenes, asked } = await preview({ job: id });
  const current = {
    id,
    request: asked,
    entries: jobEntries(id, scenes),
    planned: false, // whether the scenes are those of its plan
    ended: false,
    failed: [], // windows that were not looked at
    first: null, // the first progress, to tell the time left by
    stop: () => {},
  };
  job = current;
  byId("teach").hidden = true;
  byId("asking").open = false;
  byId("asked-what").textContent = "Ask another question";
  byId("question").value = asked.question;
  byId("task").value = asked.task;
  document.querySelector("input[name=where][value=whole]").checked = true;
  map.stopRectangle();
  answer.begin(asked.question);
  imagery.set(entriesOf(asked, scenes));
  const stop = element("button", { type: "button", id: "cancel", onclick: () => stopJob(current) }, "Cancel");
  byId("answer").querySelector(".running").append(stop);
  setScenes(current.entries, id, 0);
  before();
  current.stop = watch(id, {
    plan: ({ text }) => answer.says(text),
    note: ({ text }) => answer.note(text),
    progress: (data) => {
      answer.progress(data, timeLeft(current, data));
      if (data.tiles) planned(current);
    },
    evidence: (evidence) => {
      answer.part(evidence.answer_id).add(evidence);
      if (shown.job === id && isOn(evidence, map.scene)) map.draw(evidence);
    },
    answer: (data) => answer.part(data.answer_id).answered(data),
    synthesis: ({ answer_id: part, text }) => answer.part(part).synthesised(text),
    coverage: (data) => {
      const part = answer.part(data.answer_id);
      part.covered(data);
      const failed = data.failures.map(({ window_px: window }) => ({ scene: part.title.textContent, window }));
      current.failed.push(...failed);
      if (shown.job === id) showFailed();
    },
    audit: ({ answer_id: part, findings }) => answer.part(part).audited(findings),
    error: (document) => (current.problem = document.detail),
    lost: (isLost) => byId("answer").classList.toggle("lost", isLost),
    done: (data) => ended(current, data),
  });
}

const jobEntries = (id, scenes) => scenes.map((scene, n) => ({ query: { job: id, scene: n }, scene }));

/** Once a job has its plan: what its scenes are called in it, which date each is, and which areas are asked about. */
async function planned(current) {
  if (current.planned) return;
  current.planned = true;
  const { scenes } = await preview({ job: current.id });
  const known = (list) => JSON.stringify(list.map(({ name, image, areas }) => [name, image, areas]));
  if (known(scenes) === known(current.entries.map(({ scene }) => scene))) return;
  current.entries = jobEntries(current.id, scenes);
  if (shown.job === current.id) setScenes(current.entries, current.id, shown.at);
}

const entriesOf = (asked, scenes) =>
  asked.scenes.map((reference, n) => ({
    reference: Object.fromEntries(Object.entries(reference).filter(([, value]) => value != null)),
    scene: { ...(scenes[n] ?? scenes[0]), areas: [] },
  }));

function timeLeft(current, { answered, tiles }) {
  current.first ??= { answered, at: performance.now() };
  const done = answered - current.first.answered;
  if (!done || answered >= tiles) return null;
  const seconds = ((performance.now() - current.first.at) / 1000 / done) * (tiles - answered);
  return seconds < 90 ? `about ${Math.ceil(seconds)} s left` : `about ${Math.round(seconds / 60)} min left`;
}

async function stopJob(current) {
  if (current.ended) return; // to delete an ended job is something else
  byId("cancel").disabled = true;
  try {
    await cancel(current.id);
  } catch (error) {
    answer.note(error.message);
  }
}

async function ended(current, { status, message }) {
  current.ended = true;
  const isAnswer = status === "successful";
  answer.end(isAnswer ? null : (current.problem ?? message), status === "failed");
  const root = byId("answer");
  if (status !== "failed") root.append(await downloads(current.id));
  if (isAnswer) root.append(followUp());
}

/** Links to the job's files; of a cancelled one they hold what was answered. */
async function downloads(id) {
  try {
    const { files, partial } = await get(`jobs/${id}/files`);
    const links = files.map(({ name, title, type }) => {
      const href = address(`jobs/${id}/files/${name}`);
      return element("li", {}, element("a", { href, type, download: true }, name), ` ${title}`);
    });
    const first = links.splice(0, 2); // GeoPackage and GeoParquet
    const rest = element("details", {}, element("summary", {}, "Other files"), element("ul", {}, ...links));
    return element("div", { class: "downloads quiet" }, partial, element("ul", {}, ...first), links.length ? rest : null);
  } catch (error) {
    return element("p", { class: "quiet" }, error.message);
  }
}

/* ---- follow-up ---- */

function followUp() {
  const hint = "And how many ships are there?";
  const text = element("textarea", { id: "further", rows: 2, maxlength: 2000, required: true, placeholder: hint });
  const about = element("p", { id: "about", class: "quiet" });
  const trouble = element("p", { class: "problem", role: "alert", hidden: true });
  const send = async (event) => {
    event.preventDefault();
    try {
      await start({ ...followed(), question: text.value.trim() });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      trouble.textContent = error.message;
      trouble.hidden = false;
    }
  };
  const form = element(
    "form",
    { class: "further", onsubmit: send },
    element("label", { class: "label", for: "further" }, "Ask further"),
    text,
    about,
    trouble,
    element("button", { class: "primary" }, "Ask"),
  );
  queueMicrotask(() => followUpAbout({ answer_id: "A1", evidence: [] }));
  return form;
}

function followUpAbout(chosen) {
  if (!job) return;
  job.chosen = chosen;
  const about = byId("about");
  if (!about) return;
  const { evidence } = chosen;
  about.textContent = evidence.length
    ? `About ${evidence.join(", ")} and what is around.`
    : "About the same scene. Tick evidence above to ask about it and what is around.";
}

/** The request of a follow-up: the same imagery, in the light of this answer. */
function followed() {
  const kept = ["scenes", "scene_crs", "pixel_space", "bands", "gsd", "out_crs"];
  const { answer_id, evidence } = job.chosen;
  if (!evidence.length) kept.push("aoi", "aoi_crs");
  const given = kept.filter((name) => job.request[name] != null);
  const request = Object.fromEntries(given.map((name) => [name, job.request[name]]));
  return { ...request, context: { job: job.id, answer_id, evidence } };
}

/* ---- the engine ---- */

async function showEngine() {
  const line = byId("engine");
  try {
    const { ready, sentence, model } = await engine();
    line.textContent = ready ? `Model: ${model.name}, ready` : sentence;
    line.title = ready ? model.title : "";
    line.title = model?.identity ?? "";
    if (ready) examples(model.labels ?? []);
    else setTimeout(showEngine, ENGINE_POLL_MS);
  } catch (error) {
    if (error.status === 401) signedOut();
    else line.textContent = "The service does not answer.";
  }
}

function examples(labels) {
  const [some, others, one] = labels.length < 3 ? LABELS : labels;
  const questions = [`How many ${some}s are there?`, `Where are the ${others}s?`, `Is there a ${one}?`, "Describe the scene."];
  const use = (text) => () => {
    byId("question").value = text;
    byId("question").focus();
  };
  const chip = (text) => element("button", { type: "button", class: "chip", onclick: use(text) }, text);
  byId("examples").replaceChildren(...questions.map(chip));
}

function signedOut() {
  byId("engine").textContent = "no access";
  problem(SIGNED_OUT);
}

/* ---- start ---- */

/** Show the job the address names, or the empty page. */
async function follow() {
  const id = /^#job=([0-9a-f]{32})$/.exec(location.hash)?.[1];
  if (!id) return;
  try {
    await open(id);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    byId("asking").open = true;
    problem(error.message);
  }
}

byId("task").append(...Object.entries(TASKS).map(([value, text]) => element("option", { value }, text)));
byId("ask").addEventListener("submit", submit);
byId("shown").addEventListener("change", (event) => showScene(Number(event.target.value)));
byId("history-open").addEventListener("click", () => showHistory((id) => {
  history.pushState(null, "", `#job=${id}`);
  follow();
}));
for (const radio of document.querySelectorAll("input[name=where]")) {
  radio.addEventListener("click", () => {
    if (where() === "rectangle" && map.scene) map.startRectangle();
    else map.stopRectangle();
    rectangle = null;
    before();
  });
}
window.addEventListener("popstate", follow);
examples([]);
showEngine();
follow();

window.groundproof = map; // for tests: what is drawn, and where
