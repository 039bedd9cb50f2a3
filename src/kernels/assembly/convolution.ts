// Patches of pictures, height × width × channels, and convolutions of each channel by itself. See src/kernels/convolution.ts.
import { bytes, clearRow, copyRow, loadLanes, multiplyAdd, storeLanes } from './blocks-rows';
import { splat } from './math';

// @ts-ignore: decorator
@inline
function windows(extent: i32, size: i32, stride: i32, pad: i32): i32 {
  return extent + 2 * pad < size ? 0 : (extent + 2 * pad - size) / stride + 1;
}

/** to[c] += from[c] */
// @ts-ignore: decorator
@inline
function addRow(to: usize, from: usize, columns: i32): void {
  let c = 0;
  for (; c + 8 <= columns; c += 8, to += 32, from += 32) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    v128.store(to, f32x4.add(v128.load(to, 16), v128.load(from, 16)), 16);
  }
  for (; c < columns; c += 4, to += 16, from += 16) {
    const lanes = min(4, columns - c);
    storeLanes(to, f32x4.add(loadLanes(to, lanes), loadLanes(from, lanes)), lanes);
  }
}

/** Patches of all windows. Items are rows of windows. */
export function patches(
  begin: i32, end: i32, x: usize, out: usize, images: i32, height: i32, width: i32, channels: i32, sizeY: i32,
  sizeX: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): void {
  const rows = windows(height, sizeY, strideY, padY), columns = windows(width, sizeX, strideX, padX);
  const run = sizeX * channels;
  for (let item = begin; item < end; item++) {
    const image = item / rows, top = (item % rows) * strideY - padY;
    let to = out + bytes(sizeY * run) * (item * columns);
    for (let column = 0; column < columns; column++) {
      const left = column * strideX - padX;
      const first = max(0, -left), last = min(sizeX, width - left);
      for (let j = 0; j < sizeY; j++, to += bytes(run)) {
        const y = top + j;
        if (y < 0 || y >= height || last <= first) {
          clearRow(to, run);
          continue;
        }
        const from = x + bytes(((image * height + y) * width + left + first) * channels);
        if (first > 0) clearRow(to, first * channels);
        copyRow(to + bytes(first * channels), from, (last - first) * channels);
        if (last < sizeX) clearRow(to + bytes(last * channels), (sizeX - last) * channels);
      }
    }
  }
}

/** Sums over the places in patches. Items are rows of pictures. */
export function patchesPullback(
  begin: i32, end: i32, from: usize, dx: usize, images: i32, height: i32, width: i32, channels: i32, sizeY: i32,
  sizeX: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): void {
  const rows = windows(height, sizeY, strideY, padY), columns = windows(width, sizeX, strideX, padX);
  const run = sizeX * channels;
  for (let item = begin; item < end; item++) {
    const image = item / height, y = item % height;
    const to = dx + bytes(item * width * channels);
    clearRow(to, width * channels);
    for (let j = 0; j < sizeY; j++) {
      const above = y + padY - j;
      if (above < 0 || above % strideY != 0) continue;
      const row = above / strideY;
      if (row >= rows) continue;
      let source = from + bytes(run) * (((image * rows + row) * columns) * sizeY + j);
      for (let column = 0; column < columns; column++, source += bytes(sizeY * run)) {
        const left = column * strideX - padX;
        const first = max(0, -left), last = min(sizeX, width - left);
        if (last > first) addRow(to + bytes((left + first) * channels), source + bytes(first * channels), (last - first) * channels);
      }
    }
  }
}

/** Each channel by itself. Items are rows of windows. */
export function depthwise(
  begin: i32, end: i32, x: usize, weights: usize, bias: usize, y: usize, images: i32, height: i32, width: i32,
  channels: i32, sizeY: i32, sizeX: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): void {
  const rows = windows(height, sizeY, strideY, padY), columns = windows(width, sizeX, strideX, padX);
  for (let item = begin; item < end; item++) {
    const image = item / rows, top = (item % rows) * strideY - padY;
    for (let column = 0; column < columns; column++) {
      const left = column * strideX - padX;
      const firstX = max(0, -left), lastX = min(sizeX, width - left);
      const firstY = max(0, -top), lastY = min(sizeY, height - top);
      const to = y + bytes((item * columns + column) * channels);
      for (let c = 0; c < channels; c += 4) {
        const lanes = min(4, channels - c);
        let sum = loadLanes(bias + bytes(c), lanes);
        for (let j = firstY; j < lastY; j++)
          for (let i = firstX; i < lastX; i++) {
            const from = x + bytes(((image * height + top + j) * width + left + i) * channels + c);
            sum = multiplyAdd(loadLanes(weights + bytes((j * sizeX + i) * channels + c), lanes), loadLanes(from, lanes), sum);
          }
        storeLanes(to + bytes(c), sum, lanes);
      }
    }
  }
}

/** dx of the same. Items are rows of pictures. */
export function depthwiseInputs(
  begin: i32, end: i32, dy: usize, weights: usize, dx: usize, images: i32, height: i32, width: i32, channels: i32,
  sizeY: i32, sizeX: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): void {
  const rows = windows(height, sizeY, strideY, padY), columns = windows(width, sizeX, strideX, padX);
  for (let item = begin; item < end; item++) {
    const image = item / height, y = item % height;
    for (let column = 0; column < width; column++)
      for (let c = 0; c < channels; c += 4) {
        const lanes = min(4, channels - c);
        let sum = splat(0);
        for (let j = 0; j < sizeY; j++) {
          const above = y + padY - j;
          if (above < 0 || above % strideY != 0 || above / strideY >= rows) continue;
          for (let i = 0; i < sizeX; i++) {
            const left = column + padX - i;
            if (left < 0 || left % strideX != 0 || left / strideX >= columns) continue;
            const from = dy + bytes(((image * rows + above / strideY) * columns + left / strideX) * channels + c);
            sum = multiplyAdd(loadLanes(weights + bytes((j * sizeX + i) * channels + c), lanes), loadLanes(from, lanes), sum);
          }
        }
        storeLanes(dx + bytes((item * width + column) * channels + c), sum, lanes);
      }
  }
}

/** The gradient of the weights. Items are groups of 16 channels. */
export function depthwiseWeights(
  begin: i32, end: i32, x: usize, dy: usize, dWeights: usize, images: i32, height: i32, width: i32, channels: i32,
  sizeY: i32, sizeX: i32, strideY: i32, strideX: i32, padY: i32, padX: i32,
): void {
  const rows = windows(height, sizeY, strideY, padY), columns = windows(width, sizeX, strideX, padX);
  for (let group = begin; group < end; group++)
    for (let c = 16 * group; c < min(channels, 16 * group + 16); c += 4) {
      const lanes = min(4, channels - c);
      for (let j = 0; j < sizeY; j++)
        for (let i = 0; i < sizeX; i++) {
          let sum = splat(0);
          for (let image = 0; image < images; image++)
            for (let row = 0; row < rows; row++) {
              const y = row * strideY + j - padY;
              if (y < 0 || y >= height) continue;
              // Rows by themselves, so that long sums are exact enough.
              let part = splat(0);
              for (let column = 0; column < columns; column++) {
                const at = column * strideX + i - padX;
                if (at < 0 || at >= width) continue;
                const from = x + bytes(((image * height + y) * width + at) * channels + c);
                const above = dy + bytes(((image * rows + row) * columns + column) * channels + c);
                part = multiplyAdd(loadLanes(from, lanes), loadLanes(above, lanes), part);
              }
              sum = f32x4.add(sum, part);
            }
          storeLanes(dWeights + bytes((j * sizeX + i) * channels + c), sum, lanes);
        }
    }
}
