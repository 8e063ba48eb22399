// Where a scene's pixels lie, from the nodes that GET /preview gives. Knows numbers. Refuses to know maps.
// Pixels are [column, row], corners and not centres; between nodes everything is straight.

/** Four nodes around a pixel and its place between them; null outside or without places. */
function cell({ columns, rows }, [column, row]) {
  const last = columns.length - 2;
  const i = Math.min(Math.max(Math.floor((column / columns.at(-1)) * (last + 1)), 0), last);
  const j = Math.min(Math.max(Math.floor((row / rows.at(-1)) * (last + 1)), 0), last);
  const u = (column - columns[i]) / (columns[i + 1] - columns[i]);
  const v = (row - rows[j]) / (rows[j + 1] - rows[j]);
  const at = j * columns.length + i;
  return { corners: [at, at + 1, at + columns.length, at + columns.length + 1], u, v };
}

/** [x, y] of a pixel among `nodes` (places.xy or places.lonlat); null where there is no place. */
function place(places, nodes, pixel) {
  const { corners, u, v } = cell(places, pixel);
  const [a, b, c, d] = corners.map((at) => nodes[at]);
  if (!a || !b || !c || !d) return null;
  return [0, 1].map((k) => (a[k] * (1 - u) + b[k] * u) * (1 - v) + (c[k] * (1 - u) + d[k] * u) * v);
}

export const toMap = (scene, pixel) => scene.places && place(scene.places, scene.places.xy, pixel);

export function toLonLat(scene, pixel) {
  const at = scene.places && place(scene.places, scene.places.lonlat, pixel);
  return at && [((((at[0] + 180) % 360) + 360) % 360) - 180, at[1]];
}

/** Where north is in the scene's middle, radians clockwise from up; null when not known. */
export function north(scene) {
  if (!scene.places) return null;
  const middle = [scene.width / 2, scene.height / 2];
  const lonlat = (dx, dy) => place(scene.places, scene.places.lonlat, [middle[0] + dx, middle[1] + dy]);
  const [here, right, down] = [lonlat(0, 0), lonlat(1, 0), lonlat(0, 1)];
  if (!here || !right || !down) return null;
  // Rows: steps east and north (in latitude's measure) of one column and one row.
  const shrink = Math.cos((here[1] * Math.PI) / 180);
  const [a, b] = [(right[0] - here[0]) * shrink, (down[0] - here[0]) * shrink];
  const [c, d] = [right[1] - here[1], down[1] - here[1]];
  const determinant = a * d - b * c;
  if (!determinant) return null;
  const [column, row] = [-b / determinant, a / determinant];
  return Math.atan2(column, -row);
}

const EDGE_PIECES = 8;

/** A pixel rectangle [x0, y0, x1, y1] as a GeoJSON polygon in the scene's CRS; y = -row in pixel space. */
export function polygon(scene, [x0, y0, x1, y1]) {
  const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]];
  const ring = [];
  for (let side = 0; side < 4; side++) {
    const [[ax, ay], [bx, by]] = [corners[side], corners[side + 1]];
    for (let piece = 0; piece < EDGE_PIECES; piece++) {
      const t = piece / EDGE_PIECES;
      const pixel = [ax + (bx - ax) * t, ay + (by - ay) * t];
      ring.push(scene.places ? toMap(scene, pixel) : [pixel[0], -pixel[1]]);
    }
  }
  ring.push(ring[0]);
  return ring.every(Boolean) ? { type: "Polygon", coordinates: [ring] } : null;
}

const degrees = (value, [positive, negative]) =>
  `${Math.abs(value).toFixed(5)}° ${value < 0 ? negative : positive}`;

/** A pixel in words: column and row, scene's CRS, longitude and latitude. */
export function readout(scene, pixel) {
  const parts = [`column ${Math.floor(pixel[0])}, row ${Math.floor(pixel[1])}`];
  const xy = toMap(scene, pixel);
  if (xy) {
    const digits = Math.abs(xy[0]) <= 360 && Math.abs(xy[1]) <= 90 ? 6 : 1; // degrees, or metres
    parts.push(`${xy[0].toFixed(digits)}, ${xy[1].toFixed(digits)} (${scene.crs_label})`);
  }
  const lonlat = toLonLat(scene, pixel);
  if (lonlat) parts.push(`${degrees(lonlat[0], "EW")}, ${degrees(lonlat[1], "NS")}`);
  return parts.join("  ·  ");
}
