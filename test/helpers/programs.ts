/**
 * Random stochastic programs: functions of tensors with two or three sites of bits, with residual paths, shared parameters, parts behind
 * gates, on examples or on the points of sequences. What their gradients are is known exactly, by enumerating the bits of all sites.
 */
import { blockMask } from '../../src/backend/block-mask.ts';
import type { Engine } from '../../src/backend/engine.ts';
import { sigmoid } from '../../src/math/special.ts';
import type { Neuron } from '../../src/neurons/contract.ts';
import { resolveNeuron } from '../../src/neurons/resolve.ts';
import { type RandomStream, randomStream } from '../../src/random/stream.ts';
import { allocateState } from '../../src/tensor/fire.ts';
import { fire } from '../../src/tensor/gradient.ts';
import type { Numbers } from '../../src/tensor/numbers.ts';
import { allBlocks } from '../../src/tensor/ops/all-blocks.ts';
import { add, multiply, scale } from '../../src/tensor/ops/arithmetic.ts';
import { gateBlocks, scatterBlocks } from '../../src/tensor/ops/block-gates.ts';
import { openBlocks } from '../../src/tensor/ops/block-shape.ts';
import { denseToBlocks } from '../../src/tensor/ops/blocks.ts';
import { fireTensor } from '../../src/tensor/ops/fire.ts';
import { gate } from '../../src/tensor/ops/gate.ts';
import { matmul } from '../../src/tensor/ops/matmul.ts';
import { joinParts, openRows } from '../../src/tensor/ops/parts.ts';
import { meanRows, sumRows } from '../../src/tensor/ops/plates.ts';
import { Tape } from '../../src/tensor/tape.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';

/** Fires the units of a site, by its number. */
type Fire = (logits: Tensor, site: number) => Tensor;
/** How parts behind gates are computed. */
export type Path = 'dense' | 'blocks';

/** Units of every site, and the width of what flows between them. */
export const UNITS = 2;
const SIZE = 2;

export interface Program {
  readonly text: string;
  readonly sites: number;
  /** Points of each of the examples; undefined: they are no sequences. */
  readonly lengths?: readonly number[];
  /** Has it rows of units that share a loss, or may have none, so that neurons that compare rows do not fit? */
  readonly sharesLosses: boolean;
  /** Parameters by name: their shapes and values. */
  readonly parameters: Readonly<Record<string, { readonly shape: readonly number[]; readonly values: Float64Array }>>;
  /** One loss an example. */
  run(p: Readonly<Record<string, Tensor>>, x: Tensor, fire: Fire, path: Path): Tensor;
}

const INPUTS = [
  [0.8, -0.5],
  [-0.3, 1.1],
  [0.6, 0.9],
];
const EXAMPLES = 2;

/**
 * A program, a pure function of the seed.
 * @param options.parts may bits open parts, functions of their own, the first of which may have the bits of the next site inside?
 */
export function randomProgram(seed: number, { parts = false } = {}): Program {
  const random = randomStream(seed, 71);
  const chance = (p: number) => random.uniform() < p;
  const sequences = chance(0.35);
  const sites = sequences ? 2 : 2 + random.integer(2);
  const drawn: readonly Stage[] = Array.from({ length: sites }, (_, site) => ({
    residual: chance(0.5),
    shared: site > 0 && chance(0.5),
    /** Bits that open blocks, in place of being weighed. */
    gates: chance(0.45),
    smooth: chance(0.4),
    ...(parts && { parted: chance(0.7), within: chance(0.6) && site + 1 < sites }),
  }));
  const stages = settled(drawn);
  const points = chance(0.5) ? sumRows : meanRows;
  const lengths = sequences ? [2, 1] : undefined;
  return {
    text: `${sequences ? 'sequences' : 'examples'}, ${stages
      .map(
        (stage) =>
          Object.entries(stage)
            .flatMap(([name, is]) => (is ? name : []))
            .join('+') || 'plain',
      )
      .join(' → ')}`,
    sites,
    ...(lengths && { lengths }),
    sharesLosses: sequences || stages.some(({ inside }) => inside),
    parameters: parametersOf(random, stages),
    run(p, x, fire, path) {
      let h = matmul(x, p.first, p.firstBias);
      const bitsOf = (x: Tensor, site: number) =>
        fire(matmul(x, p[stages[site].shared ? 'weights0' : `weights${site}`], p[`bias${site}`]), site);
      for (let site = 0; site < sites; site++) {
        const { residual, gates, smooth, parted, within } = stages[site];
        const below = smooth ? fireTensor(h, { neuron: TANH, mode: 'train', source: NONE }) : h;
        const bits = bitsOf(below, site);
        const inner = site + 1;
        const inside = (x: Tensor) => matmul(bitsOf(x, inner), p[`above${inner}`]);
        const above = parted
          ? partsOf(p, site, bits, below, path, within ? inside : undefined)
          : gates
            ? part(p, site, bits, below, path)
            : matmul(bits, p[`above${site}`]);
        h = residual ? add(above, scale(below, { factor: 0.7 })) : above;
        if (within) site++;
      }
      const squares = matmul(multiply(h, h), p.readout);
      const loss = matmul(multiply(squares, add(squares, [0.3])), [[0.5]]);
      return lengths ? points(loss) : loss;
    },
  };
}

/** What happens at one site. */
interface Stage {
  readonly residual: boolean;
  readonly shared: boolean;
  readonly gates: boolean;
  readonly smooth: boolean;
  /** Bits that open parts. */
  readonly parted?: boolean;
  /** Are the next site's bits in the first of the parts? */
  readonly within?: boolean;
  /** Are these bits in a part? */
  readonly inside?: boolean;
}

/** The same without what does not go together: bits inside a part are bits alone. */
function settled(stages: readonly Stage[]): Stage[] {
  const all: Stage[] = [];
  for (const stage of stages) {
    const below = all.at(-1);
    if (below?.within) all.push({ residual: false, shared: stage.shared, gates: false, smooth: false, inside: true });
    else if (stage.parted === undefined) all.push(stage);
    else all.push({ ...stage, gates: stage.gates && !stage.parted, within: (stage.within && stage.parted) === true });
  }
  return all;
}

/** A function of its own behind each bit, run on the rows that open it, the first with `inside` at its end. */
function partsOf(
  p: Readonly<Record<string, Tensor>>,
  site: number,
  bits: Tensor,
  below: Tensor,
  path: Path,
  inside: ((x: Tensor) => Tensor) | undefined,
): Tensor {
  const { tape, array, plate } = bits;
  const mask = path === 'blocks' ? blockMask(tape.engine, array) : undefined;
  const open = Array.from({ length: UNITS }, (_, gate) => ({ gate, rows: mask ? openRows(bits, mask, gate) : plate }))
    .filter(({ rows }) => rows && rows.rows > 0)
    .map(({ gate, rows }) => {
      const x = rows ? tape.lift(below, rows) : below;
      const values = fireTensor(matmul(x, p[`part${site}.${gate}`], p[`partBias${site}.${gate}`]), PLAIN);
      return { gate, values: gate === 0 && inside ? inside(values) : values };
    });
  return joinParts(bits, open, [UNITS], 'sum');
}

/** Two blocks of two units of below, each behind a bit, and what they come to. */
function part(p: Readonly<Record<string, Tensor>>, site: number, bits: Tensor, below: Tensor, path: Path): Tensor {
  const [weights, bias, top] = [p[`experts${site}`], p[`expertsBias${site}`], p[`top${site}`]];
  const { neuron } = PLAIN;
  if (path === 'dense') {
    const values = fireTensor(allBlocks(below, weights, bias, { blocks: UNITS, size: SIZE }), PLAIN);
    return matmul(gate(bits, values, { size: SIZE }), top);
  }
  const shape = openBlocks(bits, blockMask(bits.tape.engine, bits.array), SIZE);
  const values = fireTensor(denseToBlocks(below, weights, bias, shape), { ...PLAIN, neuron });
  return matmul(scatterBlocks(gateBlocks(bits, values, shape), shape), top);
}

const NONE = { key: [0, 0], step: 0, layer: 0, draw: 0 } as const;
const TANH = resolveNeuron('tanh');
const PLAIN = { neuron: resolveNeuron('tanh'), mode: 'train', source: NONE } as const;

function parametersOf(random: RandomStream, stages: readonly Stage[]) {
  const parameters: Record<string, { shape: number[]; values: Float64Array }> = {};
  const make = (name: string, ...shape: number[]) => {
    const size = shape.reduce((product, n) => product * n, 1);
    parameters[name] = { shape, values: Float64Array.from({ length: size }, () => Math.fround(1.1 * random.normal())) };
  };
  make('first', 2, UNITS);
  make('firstBias', UNITS);
  stages.forEach(({ shared, gates, parted }, site) => {
    if (!shared) make(`weights${site}`, UNITS, UNITS);
    make(`bias${site}`, UNITS);
    if (parted) {
      for (let gate = 0; gate < UNITS; gate++) {
        make(`part${site}.${gate}`, UNITS, UNITS);
        make(`partBias${site}.${gate}`, UNITS);
      }
    } else if (gates) {
      make(`experts${site}`, UNITS, UNITS, SIZE);
      make(`expertsBias${site}`, UNITS * SIZE);
      make(`top${site}`, UNITS * SIZE, UNITS);
    } else make(`above${site}`, UNITS, UNITS);
  });
  make('readout', UNITS, 1);
  return parameters;
}

/** A program on an engine, with copies of its examples, ready for passes. */
export interface Bound {
  readonly tape: Tape;
  readonly loss: Tensor;
  readonly logits: readonly Tensor[];
  readonly bits: readonly Tensor[];
  readonly parameters: Readonly<Record<string, Tensor>>;
  readonly examples: number;
}

/** Copies of the examples as a tensor. @param copies of which example each is */
function inputsOf(tape: Tape, { lengths }: Program, copies: readonly number[]): Tensor {
  const rowsOf = (example: number): number[][] =>
    lengths ? INPUTS.slice(example, example + lengths[example]) : [INPUTS[example]];
  const rows = copies.flatMap(rowsOf);
  const offsets = new Int32Array(copies.length + 1);
  copies.forEach((example, i) => {
    offsets[i + 1] = offsets[i] + rowsOf(example).length;
  });
  const plate = lengths ? tape.plates.points(offsets) : tape.plates.examples(copies.length);
  return tape.input(tape.engine.tensor(rows.flat(), [rows.length, 2]), plate);
}

/** One pass over copies of the examples. @param copies of which example each is */
function pass(engine: Engine, program: Program, copies: readonly number[], fire: Fire, path: Path): Bound {
  engine.beginStep();
  const tape = new Tape(engine);
  const x = inputsOf(tape, program, copies);
  const parameters = Object.fromEntries(
    Object.entries(program.parameters).map(([name, { shape, values }]) => [
      name,
      tape.input(engine.tensor(values, shape), undefined, true),
    ]),
  );
  const [logits, bits]: [Tensor[], Tensor[]] = [[], []];
  const loss = program.run(
    parameters,
    x,
    (a, site) => {
      logits[site] = a;
      bits[site] = fire(a, site);
      return bits[site];
    },
    path,
  );
  return { tape, loss, logits, bits, parameters, examples: copies.length };
}

const gradientsOf = ({ tape, parameters, examples }: Bound): Float64Array =>
  Float64Array.from(
    Object.values(parameters).flatMap((tensor) => [
      ...(tape.gradient(tensor)?.values ?? new Float64Array(tensor.size)),
    ]),
    (value) => value / examples,
  );

/** The states of a neuron at the sites of a program, kept from step to step. */
export const statesFor = (engine: Engine, neurons: readonly Neuron[]) =>
  neurons.map((neuron) => allocateState(engine, neuron, UNITS));

/** The losses of a step, and the parameters' gradients of their mean, by the neurons' learning rules. */
export function sampledGradient(
  engine: Engine,
  program: Program,
  neurons: readonly Neuron[],
  { copies, step, path, states }: { copies: number; step: number; path: Path; states: ReturnType<typeof statesFor> },
): { readonly losses: Float64Array; readonly gradient: Float64Array; readonly bits: readonly (readonly number[])[] } {
  const which = Array.from({ length: copies * EXAMPLES }, (_, i) => i % EXAMPLES);
  const fire: Fire = (logits, site) =>
    fireTensor(logits, {
      neuron: neurons[site],
      mode: 'train',
      source: { key: [5, 9], step, layer: site, draw: 0 },
      state: states[site],
    });
  const bound = pass(engine, program, which, fire, path);
  bound.tape.weigh(bound.loss);
  bound.tape.backward([{ tensor: bound.loss, cotangent: 1 }], bound.loss);
  return {
    losses: Float64Array.from(bound.loss.values),
    gradient: gradientsOf(bound),
    bits: bound.bits.map(({ values }) => [...values]),
  };
}

/** The parameters' values, nested as they are shaped. */
export const valuesOf = ({ parameters }: Program): Record<string, Numbers> =>
  Object.fromEntries(Object.entries(parameters).map(([name, { shape, values }]) => [name, nested(values, shape)]));

function nested(values: ArrayLike<number>, shape: readonly number[]): Numbers {
  const [extent, ...rest] = shape;
  if (rest.length === 0) return Array.from(values);
  const size = values.length / extent;
  return Array.from(
    { length: extent },
    (_, i): Numbers => nested(Array.from(values).slice(i * size, (i + 1) * size), rest),
  );
}

/** A program over copies of its examples as a function of its parameters: what `auditProgram` takes. */
export const functionOf =
  (program: Program, neurons: readonly Neuron[], { copies, path }: { copies: number; path: Path }) =>
  (parameters: Readonly<Record<string, Tensor>>): Tensor => {
    const { tape } = parameters.first;
    const which = Array.from({ length: copies * EXAMPLES }, (_, i) => i % EXAMPLES);
    const x = inputsOf(tape, program, which);
    return program.run(parameters, x, (logits, site) => fire(neurons[site], logits), path);
  };

/** The expected loss, the mean over the examples: to hold the gradient above against differences. */
export function expectedLoss(engine: Engine, program: Program): number {
  let total = 0;
  for (let example = 0; example < EXAMPLES; example++) {
    const points = program.lengths?.[example] ?? 1;
    const bits = program.sites * UNITS * points;
    for (let state = 0; state < 1 << bits; state++) {
      let probability = 1;
      const fire: Fire = (logits, site) => {
        const forced = engine.allocate(logits.array.shape, 'forced bits');
        const { values } = forced;
        for (let i = 0; i < values.length; i++) {
          values[i] = (state >> (site * points * UNITS + i)) & 1;
          const p = sigmoid(logits.values[i]);
          probability *= values[i] === 1 ? p : 1 - p;
        }
        return logits.tape.input(forced, logits.plate);
      };
      const { loss } = pass(engine, program, [example], fire, 'dense');
      total += probability * loss.values[0];
    }
  }
  return total / EXAMPLES;
}
