import type { Neuron, NeuronState } from '../neurons/contract.ts';
import { type RandomStream, randomStream } from '../random/stream.ts';
import { drawsOf } from '../tensor/draws.ts';
import { startingState } from '../tensor/starting-state.ts';
import { isWholeRow } from './axis.ts';
import { estimatePoints } from './grid.ts';
import type { Loss } from './integrate.ts';
import { hasUntoldJointDraws } from './joint-rows.ts';
import { livedState } from './lived-state.ts';
import { type Problem, problemKinds } from './problems.ts';

/** A place of the domain that a neuron has to be right on. */
export interface Place {
  /** Of the draw that it comes from. */
  readonly seed: number;
  readonly number: number;
  /** Units of the layer, and those that the loss depends on, in order. */
  readonly units: number;
  readonly active: readonly number[];
  readonly rows: number;
  /** One a unit. */
  readonly logits: Float64Array;
  readonly problem: string;
  /** Of the active units; the loss of an example is `offset + size` times that. */
  readonly loss: Loss;
  readonly size: number;
  readonly offset: number;
  readonly arrays: 'Float32' | 'Float64';
  /** Minibatches that its state has seen. */
  readonly updates: number;
  readonly state: NeuronState;
  /** About how many points the grid over the active units has. */
  readonly points: number;
  /** Is the grid small enough to be integrated? */
  readonly exact: boolean;
}

export interface PlaceOptions {
  readonly seed: number;
  /** Which of the places: logits, positions and kinds are spread evenly over consecutive ones. */
  readonly number: number;
  /** Most active units. */
  readonly most: number;
  /** Most points of a grid. */
  readonly points: number;
  /** Most numbers of the arrays of one minibatch. */
  readonly numbers: number;
  /** Longest history of a state. */
  readonly updates: number;
  /** Most units of the layer, in whole groups, where sampling is to see much; default 1,024. */
  readonly mostUnits?: number;
  /** Of the first active unit; default: drawn. */
  readonly logit?: number;
  /** Losses are close to that; default: of a size and offset that are drawn. */
  readonly loss?: number;
}

/** First word of the path of the streams that places come from: the word "plac" in ASCII. */
const PLACES = 0x706c6163;
/** Logits are within that; in Float32 arrays nearer 0, where the smaller of the two probabilities of a bit has its own numbers. */
const [WIDEST, WIDEST_FLOAT32] = [20, 13.5];
/** Nearer 0 deterministic units may have a kink. */
const NEAREST = 1e-3;
/** Powers of ten of the sizes of losses. */
const DECADES = [-3, 3] as const;
/** The largest offset of a loss in its sizes, where gradients are still told from the rounding of the loss. */
const OFFSETS = { Float32: 30, Float64: 1e4 } as const;
/** Most units and rows. */
const [MOST_UNITS, MOST_ROWS] = [4096, 2048];
/** Sizes that minibatches and layers mostly have: every other place has one of these. */
const USUAL_ROWS = [1, 2, 4, 8, 10, 16, 20, 25, 32, 50, 64, 100, 128, 200, 250, 256, 500, 512, 1000, 1024, 2000, 2048];
const USUAL_UNITS = [
  2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 30, 32, 40, 48, 50, 64, 80, 96, 100, 128, 200, 256, 300, 400, 500, 512, 784,
  1000, 1024, 2000, 2048, 4096,
];
/** One place of so many has units whose logits are all equal, as before training; one of so many has whole losses, as counts of errors are. */
const [EQUAL_LOGITS, WHOLE_LOSSES] = [11, 9];
/** In one place of five, the units that the loss does not depend on are all likely, or all unlikely, to be open. */
const [FIFTH, LIKELY] = [5, 2.5];
/** Most units of a row that is integrated as a whole. */
const WHOLE_ROW = 4;
/** How far apart losses are that are close to a number, as a share of it. */
const CLOSE = 0.002;
/** Multiples of the golden section, modulo 1, fill (0, 1) evenly however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

const between = (random: RandomStream, low: number, high: number): number => low + (high - low) * random.uniform();

/** Of all sizes alike: from 1 to `most`. */
const sized = (random: RandomStream, most: number): number =>
  Math.max(1, Math.min(most, Math.floor(Math.exp(random.uniform() * Math.log(most + 1)))));

/** A usual size up to `most`. Numbers one after the other give all of them, however many there are. */
const usual = (sizes: readonly number[], number: number, most: number): number => {
  const count = sizes.filter((size) => size <= most).length;
  return count === 0 ? most : sizes[Math.floor(((number * GOLDEN) % 1) * count)];
};

/** A logit of the mixture: near 0, anywhere, or in between. @param even a number in (0, 1) for the one that may be anywhere */
function logitOf(random: RandomStream, widest: number, even = random.uniform()): number {
  const kind = random.uniform();
  const drawn = kind < 0.35 ? 1.5 * random.normal() : kind < 0.75 ? widest * (2 * even - 1) : between(random, -6, 6);
  const within = Math.min(widest, Math.max(-widest, drawn));
  return Math.abs(within) < NEAREST ? NEAREST : within;
}

/** Logits of examples that are there to be disturbed by. */
export const otherLogit = (random: RandomStream): number => logitOf(random, WIDEST_FLOAT32);

/** Draws a place, from the seed and its number alone. */
export function drawPlace(neuron: Neuron, options: PlaceOptions): Place {
  const { seed, number, points: mostPoints, numbers } = options;
  const random = randomStream(seed, PLACES, number);
  const isFar = Math.abs(options.logit ?? 0) > WIDEST_FLOAT32;
  // Losses close to each other are told apart in double precision.
  const arrays = random.uniform() < 0.5 && !isFar && options.loss === undefined ? 'Float32' : 'Float64';
  const layout = layoutOf(neuron, random, options);
  let { active } = layout;
  const { units } = layout;
  const widest = arrays === 'Float32' ? WIDEST_FLOAT32 : WIDEST;
  const near = neuron.jointNoise !== undefined && neuron.group === undefined && random.uniform() < 0.7;
  const side = number % FIFTH === 2 && neuron.jointNoise === undefined ? Math.sign((number % 2) - 0.5) : 0;
  const logits = Float64Array.from({ length: units }, () => {
    const drawn = logitOf(random, widest);
    return side === 0 ? drawn : side * Math.min(widest, LIKELY + Math.abs(drawn));
  });
  // Spread evenly: no stretch of logits is left out by chance.
  active.forEach((unit, i) => {
    const drawn = logitOf(random, widest, (number * GOLDEN + i * 0.37 + 0.5 / (number + 2)) % 1);
    logits[unit] = i === 0 ? (options.logit ?? drawn) : drawn;
  });
  const round = arrays === 'Float32' ? Math.fround : (x: number) => x;
  // Equal logits of coupled units are ties, at which there is no derivative.
  if (number % EQUAL_LOGITS === 4 && neuron.jointNoise === undefined) logits.fill(logits[active[0]]);
  for (let i = 0; i < units; i++) logits[i] = round(near ? logits[i] / 8 : logits[i]);
  const pointsOf = (): number =>
    estimatePoints(
      neuron,
      active.map((unit) => logits[unit]),
      mostPoints,
    );
  let points = pointsOf();
  const integrable = !hasUntoldJointDraws(neuron);
  const asOne = neuron.jointNoise !== undefined || isWholeRow(neuron);
  // Fewer active units have a smaller grid; groups, and units of a whole row, go together.
  while (points > mostPoints && active.length > 1 && integrable && !asOne) {
    active = active.slice(1);
    points = pointsOf();
  }
  const kinds = Object.values(problemKinds);
  const problem = kinds[number % kinds.length](active.length, 1 + (seed % 1000) + number);
  // A whole loss has no cotangent.
  const whole = number % WHOLE_LOSSES === 2 && neuron.reads === 'loss' && options.loss === undefined;
  const { name, loss } = whole ? inWholeNumbers(problem) : problem;
  const drawnLoss = options.loss === undefined ? sizeAndOffset(random, arrays) : closeTo(options.loss);
  const [size, offset] = whole ? [1, 0] : drawnLoss;
  const { state, updates } = stateFor(neuron, units, random, options);
  const perRow = units * (drawsOf(neuron, units) + 1 + neuron.noise);
  const mostRows = Math.min(MOST_ROWS, Math.max(1, Math.floor(numbers / perRow)));
  const drawnRows = sized(random, mostRows);
  const rows = number % 2 === 1 ? usual(USUAL_ROWS, number >> 1, mostRows) : drawnRows;
  const place = { seed, number, units, active, rows, logits, problem: name, loss, size, offset, arrays } as const;
  return {
    ...place,
    updates,
    state: arrays === 'Float32' ? narrowed(state) : state,
    points,
    exact: integrable && points <= mostPoints && (active.length === units || !isWholeRow(neuron)),
  };
}

/** A problem whose losses are −2, −1, 0, 1, 2 and the like, as often equal as not. */
function inWholeNumbers({ name, loss, ...problem }: Problem): Problem {
  const rounded: Loss = (h) => ({ loss: Math.round(2 * loss(h).loss), dh: new Float64Array(h.length) });
  return { ...problem, name: `${name}, in whole numbers`, loss: rounded };
}

const closeTo = (loss: number): [size: number, offset: number] => [CLOSE * Math.abs(loss), loss];

/** Of a loss of any size. */
function sizeAndOffset(random: RandomStream, arrays: Place['arrays']): [size: number, offset: number] {
  const size = 10 ** between(random, ...DECADES);
  const mostOffset = Math.min(1e3, OFFSETS[arrays] * size);
  if (random.uniform() < 0.4) return [size, 0];
  return [size, Math.sign(random.uniform() - 0.5) * Math.min(mostOffset, 10 ** between(random, -3, 3))];
}

/** How many units, and which of them the loss depends on. */
function layoutOf(
  neuron: Neuron,
  random: RandomStream,
  { number, most, numbers, points, mostUnits = MOST_UNITS }: PlaceOptions,
): { units: number; active: number[] } {
  const { group, jointNoise, noise, opens } = neuron;
  const limit = Math.max(neuron.group ?? 1, Math.min(neuron.mostUnits ?? MOST_UNITS, mostUnits));
  // Of draws that are joint, though units are not, the true gradient is known in large layers too.
  if (isWholeRow(neuron) && (jointNoise || number % 4 !== 2)) {
    // All of them depend on each other. A rule that fixes how many are open shows no more than that with one.
    let units = noise === 0 ? 1 + sized(random, 20) : jointNoise ? 2 : 1;
    const upTo = Math.min(limit, jointNoise ? 3 : 2 + (number % (WHOLE_ROW - 1)));
    const other = { ...neuron };
    while (noise > 0 && units < upTo && estimatePoints(other, new Float64Array(units + 1).fill(0.1), points) <= points)
      units++;
    while (opens && opens(units) < 2 && noise === 0 && units < 64) units++;
    return { units, active: Array.from({ length: units }, (_, i) => i) };
  }
  const step = group ?? 1;
  const affords = (count: number): boolean =>
    count * (drawsOf(neuron, count) + 1 + neuron.noise) * 2 <= Math.max(numbers, 4096);
  const mostGroups = Math.floor(limit / step);
  const drawnGroups = sized(random, mostGroups);
  let units = step * (number % 2 === 1 ? usual(USUAL_UNITS, (number >> 1) + 0.5, mostGroups) : drawnGroups);
  // A quarter of the layers have the active units alone.
  if (number % 4 === 0) units = step * (1 + Math.floor(random.uniform() * Math.min(most, limit / step)));
  while (units > step && !affords(units)) units = step * Math.max(1, Math.floor(units / step / 2));
  if (group) {
    const first = step * random.integer(units / step);
    return { units, active: Array.from({ length: step }, (_, i) => first + i) };
  }
  const count = Math.min(units, 1 + random.integer(most));
  const chosen = new Set<number>([units > 1 ? number % units : 0]);
  while (chosen.size < count) chosen.add(random.integer(units));
  return { units, active: [...chosen].sort((a, b) => a - b) };
}

/** Histories of states: none, one minibatch, about fifty, and as long as allowed. */
function stateFor(
  neuron: Neuron,
  units: number,
  random: RandomStream,
  { number, updates: longest }: PlaceOptions,
): { state: NeuronState; updates: number } {
  const kind = random.integer(6);
  if (!neuron.state || !neuron.update || kind === 0) return { state: startingState(neuron, units), updates: 0 };
  const wanted = [1, 50, longest, 1 + random.integer(longest), longest][kind - 1];
  return livedState(neuron, units, wanted, number);
}

const narrowed = (state: NeuronState): NeuronState =>
  Object.fromEntries(Object.entries(state).map(([name, values]) => [name, Float32Array.from(values)]));

/** A place in words. */
export function describePlace(place: Place, unit: number): string {
  const { units, rows, logits, problem, size, arrays, updates } = place;
  const layer = `unit ${unit} of ${units} at the logit ${short(logits[unit])}`;
  const history = updates > 0 ? `, after ${updates} updates` : '';
  return `${layer}, ${rows} row${rows === 1 ? '' : 's'}, "${problem}" with losses of about ${short(size)}, ${arrays} arrays${history}`;
}

export const short = (value: number): string => (value === 0 ? '0' : Number(value.toPrecision(3)).toString());
