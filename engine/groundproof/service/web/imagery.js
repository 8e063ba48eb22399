// What the next question is about: files sent, scenes stored, paths named. Knows the list the person makes.

import { Problem, address, call, get, preview } from "./api.js";
import { byId, element } from "./dom.js";

export class Imagery {
  #entries = []; // {reference: {id} | {path} | {url}, scene: one of GET /preview}

  /** on.changed(entries): after every change; on.problem(sentence or null). */
  constructor(on) {
    this.on = on;
    byId("file").addEventListener("change", (event) => {
      this.send([...event.target.files]);
      event.target.value = "";
    });
    byId("stored").addEventListener("change", (event) => {
      if (event.target.value) this.add({ id: event.target.value });
      event.target.value = "";
    });
    byId("others").addEventListener("toggle", () => this.#listStored());
    byId("path-add").addEventListener("click", () => this.#addPath());
    byId("path").addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.#addPath();
    });
    this.#dropping();
  }

  get references() {
    return this.#entries.map(({ reference }) => reference);
  }

  get scenes() {
    return this.#entries.map(({ scene }) => scene);
  }

  get busy() {
    return Boolean(document.querySelector("#chosen .sending"));
  }

  /** Take over the scenes of an earlier question. */
  set(entries) {
    this.#entries = entries;
    this.#show();
  }

  /** Send files to the service, one after the other. */
  async send(files) {
    this.on.problem(null);
    for (const file of files) {
      const line = element("li", { class: "sending" }, `Sending ${file.name}, ${megabytes(file.size)} …`);
      byId("chosen").append(line);
      try {
        const headers = { "Content-Type": "application/octet-stream" };
        const to = address("scenes/image", { name: file.name });
        const scene = await (await call(to, { method: "POST", headers, body: file })).json();
        await this.add({ id: scene.id });
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        this.on.problem(`${file.name}: ${error.message}`);
      } finally {
        line.remove();
      }
    }
  }

  /** One more scene the service can see. */
  async add(reference) {
    this.on.problem(null);
    try {
      const [scene] = (await preview(reference)).scenes;
      this.#entries.push({ reference, scene });
      this.#show();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.on.problem(error.message);
    }
  }

  #show() {
    const lines = this.#entries.map((entry, at) => {
      const { name, width, height, crs_label: crs } = entry.scene;
      const remove = () => this.set(this.#entries.filter((other) => other !== entry));
      return element(
        "li",
        {},
        element("span", {}, element("b", {}, name), ` ${width} × ${height} px, ${crs ?? "pixels only"}`),
        element("button", { type: "button", "aria-label": `Leave ${name} out`, title: "Leave out", onclick: remove }, "×"),
      );
    });
    byId("chosen").replaceChildren(...lines, ...byId("chosen").querySelectorAll(".sending"));
    byId("drop").classList.toggle("small", this.#entries.length > 0);
    this.on.changed(this.#entries);
  }

  async #addPath() {
    const text = byId("path").value.trim();
    if (!text) return;
    await this.add(/^https?:\/\//.test(text) ? { url: text } : { path: text });
    if (byId("problem").hidden) byId("path").value = "";
  }

  async #listStored() {
    if (!byId("others").open) return;
    try {
      const { scenes } = await get("scenes");
      const options = scenes.map(({ id, name, width, height }) =>
        element("option", { value: id }, `${name}, ${width} × ${height} px`),
      );
      const first = options.length ? "Choose one …" : "None is stored";
      byId("stored").replaceChildren(element("option", { value: "" }, first), ...options);
    } catch (error) {
      this.on.problem(error.message);
    }
  }

  #dropping() {
    const over = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    document.addEventListener("dragover", (event) => {
      if (!over(event)) return;
      event.preventDefault();
      document.body.classList.add("dropping");
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) document.body.classList.remove("dropping");
    });
    document.addEventListener("drop", (event) => {
      document.body.classList.remove("dropping");
      if (!over(event)) return;
      event.preventDefault();
      byId("asking").open = true;
      this.send([...event.dataTransfer.files]);
    });
  }
}

const megabytes = (bytes) => (bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
