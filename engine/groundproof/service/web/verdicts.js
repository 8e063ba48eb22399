// How verdicts look: the colours and dashes of outputs/palette.py, with which QGIS and pictures draw too.

export const CASING = "#101820";

export const VERDICTS = {
  supported: { colour: "#56b4e9", dash: [] },
  unchecked: { colour: "#ffffff", dash: [] },
  unsupported: { colour: "#f0e442", dash: [6, 2.5] },
  contradicted: { colour: "#e0651a", dash: [3, 2] },
  duplicate: { colour: "#cc79a7", dash: [1.5, 1.5] },
  "out-of-frame": { colour: "#9a9a9a", dash: [1.5, 3] },
};

/** Boxes of single tiles, before merging. */
export const LIVE = { colour: "#b9c3cc", dash: [2, 2] };

export const look = (evidence) => (evidence.final ? (VERDICTS[evidence.verdict] ?? VERDICTS.unchecked) : LIVE);

export const NOT_FINAL = "not final yet";

/** An evidence's verdict in a word. */
export const word = (evidence) => (evidence.final ? evidence.verdict : NOT_FINAL);

/** A short line as on the map, for lists and the legend. */
export function swatch({ colour, dash }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 26 10");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("aria-hidden", "true");
  for (const [stroke, width, pattern] of [
    [CASING, 8, ""],
    [colour, 4, dash.map((part) => part * 3).join(" ")],
  ]) {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", "M1 5H25");
    line.setAttribute("stroke", stroke);
    line.setAttribute("stroke-width", width);
    if (pattern) line.setAttribute("stroke-dasharray", pattern);
    svg.append(line);
  }
  return svg;
}
