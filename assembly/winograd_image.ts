/**
 * Where the pixels of a tile are. An image's outputs fall into tiles of m × m; each is made from (m + 2)² pixels of the
 * input, which overlap with those of its neighbours. A geometry is a table of words:
 *
 *     0 images, 1 height, 2 width, 3 channels          the input
 *     4 top, 5 left                                    padding
 *     6 output height, 7 output width, 8 columns       the output and its channels
 *     9 tiles down, 10 tiles across                    of an image
 */

export function channelsOf(geometry: usize): i32 {
  return load<i32>(geometry, 12);
}

export function columnsOf(geometry: usize): i32 {
  return load<i32>(geometry, 32);
}

/** Tiles of all images. */
export function tilesOf(geometry: usize): i32 {
  return load<i32>(geometry) * load<i32>(geometry, 36) * load<i32>(geometry, 40);
}

/** Fills a table with the addresses of a tile's (m + 2)² input pixels; what is outside the image is at `zeros`. */
export function findInput(table: usize, geometry: usize, m: i32, tile: i32, x: usize, zeros: usize): void {
  find(
    table,
    geometry,
    tile,
    m,
    m + 2,
    x,
    zeros,
    load<i32>(geometry, 4),
    load<i32>(geometry, 8),
    load<i32>(geometry, 12),
    load<i32>(geometry, 16),
    load<i32>(geometry, 20),
  );
}

/** Fills a table with the addresses of a tile's m² output pixels; what is outside is at `nowhere`. */
export function findOutput(table: usize, geometry: usize, m: i32, tile: i32, y: usize, nowhere: usize): void {
  find(
    table,
    geometry,
    tile,
    m,
    m,
    y,
    nowhere,
    load<i32>(geometry, 24),
    load<i32>(geometry, 28),
    load<i32>(geometry, 32),
    0,
    0,
  );
}

function find(
  table: usize,
  geometry: usize,
  tile: i32,
  m: i32,
  side: i32,
  image: usize,
  outside: usize,
  height: i32,
  width: i32,
  channels: i32,
  top: i32,
  left: i32,
): void {
  const down = load<i32>(geometry, 36), across = load<i32>(geometry, 40);
  const n = tile / (down * across), inImage = n < load<i32>(geometry);
  const firstRow = (tile / across % down) * m - top, firstColumn = (tile % across) * m - left;
  for (let i = firstRow; i < firstRow + side; i++) {
    const row = image + ((<usize> (n * height + i) * <usize> width * <usize> channels) << 2);
    const inRow = inImage && <u32> i < <u32> height;
    for (let j = firstColumn; j < firstColumn + side; j++, table += 4) {
      const inside = inRow && <u32> j < <u32> width;
      store<usize>(table, inside ? row + (<usize> (j * channels) << 2) : outside);
    }
  }
}
