// The scene and its boxes. Knows OpenLayers. The map's plane is the scene's own pixels (x = column, y = -row),
// so that boxes of rotated scenes are exact; `places.js` says where pixels lie on the ground.

import { element } from "./dom.js";
import { north, readout } from "./places.js";
import { CASING, LIVE, NOT_FINAL, VERDICTS, look, swatch, word } from "./verdicts.js";

const { ol } = window;
const { Fill, Stroke, Style, Text } = ol.style;

const MOST_LABELS = 400; // more numbers than that hide the scene
const LINE_PX = 2.5;
const still = window.matchMedia("(prefers-reduced-motion: reduce)");
const duration = () => (still.matches ? 0 : 350);

const box = ([x0, y0, x1, y1]) => [[x0, -y0], [x1, -y0], [x1, -y1], [x0, -y1], [x0, -y0]];

/** Corners of a pixel box turned clockwise on screen about its centre, as a polygon on the map. */
function shape({ box_px: pixels, angle_deg: angle }) {
  const polygon = new ol.geom.Polygon([box(pixels)]);
  if (angle) {
    const centre = [(pixels[0] + pixels[2]) / 2, -(pixels[1] + pixels[3]) / 2];
    polygon.rotate((-angle * Math.PI) / 180, centre);
  }
  return polygon;
}

function lines({ colour, dash }, width, fill) {
  return [
    new Style({ stroke: new Stroke({ color: CASING, width: width + 2 }), fill }),
    new Style({ stroke: new Stroke({ color: colour, width, lineDash: dash.map((part) => part * width) }) }),
  ];
}

export class SceneMap {
  #scene = null;
  #url = null;
  #hot = new Set();
  #words = new Map(); // key -> verdict in a word, of what is drawn
  #boxes = new ol.source.Vector();
  #failed = new ol.source.Vector();
  #rectangle = new ol.source.Vector();
  #drawing = null;
  #frame = 0;

  /** on.hover(key or null), on.pick(key), on.rectangle(pixels): what the person does on the map. */
  constructor(target, on) {
    this.on = on;
    this.image = new ol.layer.Image();
    const vector = (source, style, zIndex) => new ol.layer.Vector({ source, style, zIndex });
    this.map = new ol.Map({
      target,
      controls: ol.control.defaults.defaults({ attribution: false, rotate: false }),
      layers: [
        this.image,
        vector(this.#failed, lines({ colour: "#e0651a", dash: [1, 3] }, 2), 1),
        vector(this.#rectangle, lines({ colour: "#f0e442", dash: [8, 3, 1.5, 3] }, 2), 2),
        new ol.layer.Vector({
          source: this.#boxes,
          style: (feature, resolution) => this.#style(feature, resolution),
          zIndex: 3,
          declutter: true, // of numbers that would cover each other some wait until one zooms in
        }),
      ],
      view: new ol.View({ center: [0, 0], resolution: 1 }),
    });
    this.map.on("pointermove", (event) => this.#moved(event));
    this.map.on("singleclick", (event) => {
      const key = this.#at(event.pixel);
      if (key) this.on.pick(key);
    });
    target.addEventListener("pointerleave", () => this.on.hover(null));
    document.getElementById("north").addEventListener("click", () => this.#turn());
  }

  get scene() {
    return this.#scene;
  }

  /** Show a scene of GET /preview; its picture comes later (`picture`). */
  show(scene) {
    this.#scene = scene;
    const extent = [0, -scene.height, scene.width, 0];
    const gsd = scene.gsd_m ?? 1;
    const projection = new ol.proj.Projection({
      code: "scene",
      units: "m",
      extent,
      metersPerUnit: gsd,
      getPointResolution: (resolution) => resolution * gsd,
    });
    this.projection = projection;
    this.image.setSource(null);
    this.clear();
    this.#rectangle.clear();
    for (const ring of scene.areas) {
      const corners = ring.map(([column, row]) => [column, -row]);
      this.#rectangle.addFeature(new ol.Feature(new ol.geom.Polygon([corners])));
    }
    const margin = Math.max(scene.width, scene.height) / 2;
    this.map.setView(
      new ol.View({
        projection,
        extent: [extent[0] - margin, extent[1] - margin, extent[2] + margin, extent[3] + margin],
        showFullExtent: true,
        center: ol.extent.getCenter(extent),
        resolution: 1,
        minResolution: 1 / 16,
        constrainRotation: false,
      }),
    );
    this.map.getControls().forEach((control) => {
      if (control instanceof ol.control.ScaleLine) this.map.removeControl(control);
    });
    if (scene.gsd_m) this.map.addControl(new ol.control.ScaleLine({ minWidth: 80 }));
    this.#caption();
    this.#compass();
    this.whole(0);
  }

  /** The scene's picture, an object URL; the one before is let go of. */
  picture(url) {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = url;
    const imageExtent = this.projection.getExtent();
    this.image.setSource(
      new ol.source.ImageStatic({ url, imageExtent, projection: this.projection, interpolate: true }),
    );
  }

  /** The whole scene in view. */
  whole(ms = duration()) {
    this.map.updateSize();
    this.map.getView().fit(this.projection.getExtent(), { padding: [44, 16, 44, 16], duration: ms });
  }

  /** Draw one evidence; the same key again replaces it. */
  draw(evidence) {
    this.remove(evidence.key);
    const feature = new ol.Feature({ geometry: shape(evidence), evidence });
    feature.setId(evidence.key);
    this.#boxes.addFeature(feature);
    this.#words.set(evidence.key, word(evidence));
    this.#legend();
  }

  remove(key) {
    const feature = this.#boxes.getFeatureById(key);
    if (!feature) return;
    this.#boxes.removeFeature(feature);
    this.#words.delete(key);
    this.#legend();
  }

  clear() {
    this.#boxes.clear();
    this.#failed.clear();
    this.#words.clear();
    this.#legend();
  }

  /** Tiles that were not looked at: windows in pixels. */
  failed(windows) {
    this.#failed.clear();
    this.#failed.addFeatures(windows.map((window) => new ol.Feature(new ol.geom.Polygon([box(window)]))));
  }

  highlight(keys) {
    this.#hot = new Set(keys);
    this.#boxes.changed();
  }

  /** Go to boxes, with some of what is around them. */
  fly(keys) {
    const extents = keys
      .map((key) => this.#boxes.getFeatureById(key)?.getGeometry().getExtent())
      .filter(Boolean);
    if (!extents.length) return;
    const all = extents.reduce((sum, extent) => ol.extent.extend(sum, extent), ol.extent.createEmpty());
    const around = Math.max(ol.extent.getWidth(all), ol.extent.getHeight(all)) * (extents.length > 1 ? 0.1 : 0.8);
    const minResolution = 1 / 6;
    this.map.getView().fit(ol.extent.buffer(all, around), { duration: duration(), minResolution });
  }

  /** Pixels [x0, y0, x1, y1] of the scene that are in view, within the scene; null when none is. */
  inView() {
    return this.#inside(this.map.getView().calculateExtent(this.map.getSize()));
  }

  /** Draw a rectangle with the pointer; `on.rectangle` hears of it. */
  startRectangle() {
    this.stopRectangle();
    const type = "Circle"; // OpenLayers' name for "a start and an end"
    this.#drawing = new ol.interaction.Draw({
      source: this.#rectangle,
      type,
      geometryFunction: ol.interaction.Draw.createBox(),
    });
    this.#drawing.on("drawstart", () => this.#rectangle.clear());
    this.#drawing.on("drawend", (event) => {
      this.on.rectangle(this.#inside(event.feature.getGeometry().getExtent()));
      setTimeout(() => this.#endDrawing()); // after the click that ended it
    });
    this.map.addInteraction(this.#drawing);
  }

  /** Forget the rectangle. */
  stopRectangle() {
    this.#endDrawing();
    this.#rectangle.clear();
  }

  /** For tests: corners of what is drawn, by key, in the scene's pixels. */
  drawn() {
    const corners = (feature) => feature.getGeometry().getCoordinates()[0].map(([x, y]) => [x, -y]);
    return Object.fromEntries(this.#boxes.getFeatures().map((feature) => [feature.getId(), corners(feature)]));
  }

  #endDrawing() {
    if (this.#drawing) this.map.removeInteraction(this.#drawing);
    this.#drawing = null;
  }

  #inside([left, bottom, right, top]) {
    const { width, height } = this.#scene;
    const clip = (value, most) => Math.min(Math.max(value, 0), most);
    const pixels = [clip(left, width), clip(-top, height), clip(right, width), clip(-bottom, height)];
    return pixels[0] < pixels[2] && pixels[1] < pixels[3] ? pixels : null;
  }

  #style(feature, resolution) {
    const evidence = feature.get("evidence");
    const hot = this.#hot.has(feature.getId());
    const { colour, dash } = look(evidence);
    const size = ol.extent.getHeight(feature.getGeometry().getExtent()) / resolution;
    const fill = new Fill({ color: hot ? "rgba(255,255,255,0.25)" : "rgba(255,255,255,0.01)" });
    const styles = lines({ colour, dash: hot ? [] : dash }, hot ? LINE_PX + 2 : LINE_PX, fill);
    if (evidence.evidence_id && (hot || (this.#words.size <= MOST_LABELS && size > 6))) {
      styles.push(
        new Style({
          geometry: (one) => new ol.geom.Point(topLeft(one.getGeometry())),
          text: new Text({
            text: evidence.evidence_id,
            font: "600 12px system-ui, sans-serif",
            textAlign: "left",
            textBaseline: "bottom",
            offsetY: -3,
            fill: new Fill({ color: colour }),
            stroke: new Stroke({ color: CASING, width: 4 }),
          }),
        }),
      );
    }
    // Small boxes above large ones, so that each can be pointed at; the highlighted one above all.
    const zIndex = hot ? 1 : -feature.getGeometry().getArea();
    for (const style of styles) style.setZIndex(zIndex);
    return styles;
  }

  #at(pixel) {
    const found = this.map.forEachFeatureAtPixel(pixel, (feature) => feature.getId(), { hitTolerance: 4 });
    return found ?? null;
  }

  #moved(event) {
    if (event.dragging || !this.#scene) return;
    const output = document.getElementById("readout");
    output.textContent = readout(this.#scene, [event.coordinate[0], -event.coordinate[1]]);
    const key = this.#drawing ? null : this.#at(event.pixel);
    this.map.getTargetElement().style.cursor = key ? "pointer" : "";
    this.on.hover(key);
  }

  #caption() {
    const { name, width, height, gsd_m: gsd, crs_label: crs, datetime } = this.#scene;
    const parts = [
      name,
      `${width.toLocaleString("en")} × ${height.toLocaleString("en")} px`,
      gsd ? `${Number(gsd.toPrecision(3))} m per px` : null,
      crs ?? "no place on the map, boxes in pixels",
      datetime,
      width > 2048 || height > 2048 ? "shown smaller" : null,
    ];
    const caption = document.getElementById("caption");
    caption.textContent = parts.filter(Boolean).join(" · ");
    caption.hidden = false;
    document.getElementById("map-empty").hidden = true;
    document.getElementById("map-side").classList.remove("empty");
  }

  #compass() {
    const button = document.getElementById("north");
    const angle = north(this.#scene);
    button.hidden = angle === null;
    if (angle === null) return;
    button.textContent = "N ↑";
    button.title = "Turn the map so that north is up, and back";
    button.setAttribute("aria-label", button.title);
    button.style.transform = `rotate(${angle}rad)`;
    this.map.getView().on("change:rotation", () => {
      button.style.transform = `rotate(${angle + this.map.getView().getRotation()}rad)`;
    });
  }

  #turn() {
    const view = this.map.getView();
    const up = Math.abs(view.getRotation()) > 1e-6 ? 0 : -north(this.#scene);
    view.animate({ rotation: up, duration: duration() });
  }

  /** The verdicts that are on the map, and no others; once for all boxes of a moment. */
  #legend() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      const words = new Set(this.#words.values());
      const shown = Object.entries({ ...VERDICTS, [NOT_FINAL]: LIVE }).filter(([name]) => words.has(name));
      const items = shown.map(([name, style]) => element("li", {}, swatch(style), name));
      document.getElementById("legend").replaceChildren(...items);
    });
  }
}

/** The corner that is highest on an unturned map, the left one of two. */
function topLeft(polygon) {
  const corners = polygon.getCoordinates()[0];
  return corners.reduce((best, corner) =>
    corner[1] > best[1] || (corner[1] === best[1] && corner[0] < best[0]) ? corner : best,
  );
}
