import { type Dataset, makeDataset, randomStream } from '../../src/index.ts';

/** Of a picture's side. */
const SIDE = 28;
/** The most that a picture is turned (radians), sheared, stretched (a share of its size) and moved (pixels). */
const MOST = { turn: 0.35, shear: 0.2, stretch: 0.15, move: 2.5 };
const STREAM = 0x64697374;

/**
 * Every picture under an affine map of its own, drawn by its number: turned, sheared, stretched and moved. Source of such distortions: Simard, Steinkraus, Platt 2003, §2.
 * @param data pictures of 28 × 28 bytes
 */
export function distorted(data: Dataset, seed: number): Dataset {
  const features = new Uint8Array(data.count * SIDE * SIDE);
  for (let i = 0; i < data.count; i++) {
    const random = randomStream(seed, STREAM, i);
    const within = (most: number) => (2 * random.uniform() - 1) * most;
    const [turn, shear] = [within(MOST.turn), within(MOST.shear)];
    const [width, height] = [1 + within(MOST.stretch), 1 + within(MOST.stretch)];
    const [right, down] = [within(MOST.move), within(MOST.move)];
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    const middle = (SIDE - 1) / 2;
    const pixel = (x: number, y: number): number =>
      x < 0 || y < 0 || x >= SIDE || y >= SIDE ? 0 : data.features[(i * SIDE + y) * SIDE + x];
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++) {
        const [u, v] = [(x - middle - right) / width, (y - middle - down) / height];
        const [fromX, fromY] = [middle + cos * u + (sin + shear) * v, middle - sin * u + cos * v];
        const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
        const [a, b] = [fromX - left, fromY - top];
        const upper = (1 - a) * pixel(left, top) + a * pixel(left + 1, top);
        const lower = (1 - a) * pixel(left, top + 1) + a * pixel(left + 1, top + 1);
        features[(i * SIDE + y) * SIDE + x] = Math.round((1 - b) * upper + b * lower);
      }
  }
  const { name, labels, scale, width, classes } = data;
  return makeDataset({ name: `${name}, distorted`, features, labels, scale, width, classes });
}
