// Pooling of pictures, height × width × channels; items are pictures. See src/kernels/pooling.ts.
import { addLanes, bytes, clearRow, loadLanes, storeLanes } from './blocks-rows';
import { splat } from './math';

// @ts-ignore: decorator
@inline
function windows(extent: i32, size: i32, stride: i32): i32 {
  return extent < size ? 0 : (extent - size) / stride + 1;
}

/** The largest or the mean of every window. */
export function pool(
  begin: i32, end: i32, x: usize, y: usize, images: i32, height: i32, width: i32, channels: i32, sizeY: i32,
  sizeX: i32, strideY: i32, strideX: i32, mean: i32,
): void {
  const rows = windows(height, sizeY, strideY), columns = windows(width, sizeX, strideX);
  const share = splat(1 / <f32>(sizeY * sizeX));
  for (let image = begin; image < end; image++) {
    let to = y + bytes(image * rows * columns * channels);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++, to += bytes(channels)) {
        const corner = x + bytes(((image * height + row * strideY) * width + column * strideX) * channels);
        for (let c = 0; c < channels; c += 4) {
          const lanes = min(4, channels - c);
          let sum = mean ? splat(0) : loadLanes(corner + bytes(c), lanes);
          for (let j = 0; j < sizeY; j++)
            for (let i = 0; i < sizeX; i++) {
              const value = loadLanes(corner + bytes((j * width + i) * channels + c), lanes);
              // Another than the largest so far only where it is larger: what is not a number stays.
              sum = mean ? f32x4.add(sum, value) : v128.bitselect(value, sum, v128.or(f32x4.gt(value, sum), f32x4.ne(value, value)));
            }
          storeLanes(to + bytes(c), mean ? f32x4.mul(sum, share) : sum, lanes);
        }
      }
  }
}

/** dx of the same. */
export function poolPullback(
  begin: i32, end: i32, x: usize, dy: usize, dx: usize, images: i32, height: i32, width: i32, channels: i32,
  sizeY: i32, sizeX: i32, strideY: i32, strideX: i32, mean: i32,
): void {
  const rows = windows(height, sizeY, strideY), columns = windows(width, sizeX, strideX);
  const share = splat(1 / <f32>(sizeY * sizeX));
  const picture = height * width * channels;
  for (let image = begin; image < end; image++) {
    clearRow(dx + bytes(image * picture), picture);
    let from = dy + bytes(image * rows * columns * channels);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++, from += bytes(channels)) {
        const corner = bytes(((image * height + row * strideY) * width + column * strideX) * channels);
        for (let c = 0; c < channels; c += 4) {
          const lanes = min(4, channels - c);
          const cotangent = loadLanes(from + bytes(c), lanes);
          if (mean) {
            for (let j = 0; j < sizeY; j++)
              for (let i = 0; i < sizeX; i++)
                addLanes(dx + corner + bytes((j * width + i) * channels + c), f32x4.mul(cotangent, share), lanes);
            continue;
          }
          let largest = loadLanes(x + corner + bytes(c), lanes);
          let place = i32x4.splat(0);
          for (let j = 0; j < sizeY; j++)
            for (let i = 0; i < sizeX; i++) {
              const value = loadLanes(x + corner + bytes((j * width + i) * channels + c), lanes);
              const more = f32x4.gt(value, largest);
              largest = v128.bitselect(value, largest, more);
              place = v128.bitselect(i32x4.splat(j * sizeX + i), place, more);
            }
          for (let j = 0; j < sizeY; j++)
            for (let i = 0; i < sizeX; i++) {
              const own = v128.and(cotangent, i32x4.eq(place, i32x4.splat(j * sizeX + i)));
              addLanes(dx + corner + bytes((j * width + i) * channels + c), own, lanes);
            }
        }
      }
  }
}
