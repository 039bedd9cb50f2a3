import type { LinkName } from '../tasks/link.ts';
import type { PortableRow } from './one-file-row.ts';

/** What a primitive reads: the number of a step, or a place in the file's array of parameters and how many numbers stand there. */
export type PortableOperand = number | { readonly at: number; readonly length: number };

/** A formula of elements, one operand after another; shorter operands are repeated. */
export interface PortableFormula {
  readonly of: (...elements: number[]) => number;
  readonly operands: readonly PortableOperand[];
}

/** A gate that a step stands behind: where it is 0, so are the `size` numbers of the step, and they are not computed. */
export interface PortableGuard {
  readonly gates: number;
  readonly gate: number;
  readonly size: number;
}

/** Steps of a network on one row. Step 0 is the input; every other one reads steps before it. */
export type PortableStep = { readonly behind?: PortableGuard } & PortableKind;

type PortableKind =
  | { readonly kind: 'input' }
  | ({ readonly kind: 'elementwise'; readonly size: number } & PortableFormula)
  | {
      readonly kind: 'view';
      readonly x: number;
      readonly shape: number[];
      readonly strides: number[];
      readonly offset: number;
    }
  | { readonly kind: 'sum' | 'max'; readonly x: number; readonly count: number }
  /** `batch` products m×k by k×n; where a side has fewer matrices, they are repeated. */
  | {
      readonly kind: 'product';
      readonly a: PortableOperand;
      readonly b: PortableOperand;
      readonly batch: number;
      readonly m: number;
      readonly k: number;
      readonly n: number;
    }
  /** Of every part `outer` runs, in turn. */
  | { readonly kind: 'concatenate'; readonly values: readonly PortableOperand[]; readonly outer: number }
  | { readonly kind: 'largest'; readonly x: number; readonly units: number; readonly count: number }
  | {
      readonly kind: 'gate';
      readonly layer: string;
      readonly gates: PortableOperand;
      readonly values: PortableOperand;
      readonly size: number;
    }
  /** Gates times blocks of units, formulas(x·W); of a formula the operand −1 is the unit. The weights stand block by block. */
  | {
      readonly kind: 'blocks';
      readonly layer: string;
      readonly gates: PortableOperand;
      readonly x: number;
      readonly weights: number;
      readonly inputs: number;
      readonly blocks: number;
      readonly size: number;
      readonly formulas: readonly PortableFormula[];
    }
  | {
      readonly kind: 'lstm';
      readonly x: number;
      readonly recurrent: number;
      readonly units: number;
      readonly backwards: boolean;
    }
  | {
      readonly kind: 'attention';
      readonly x: number;
      readonly width: number;
      readonly heads: number;
      readonly causal: boolean;
    }
  /** The place of the point in its sequence. */
  | { readonly kind: 'place' }
  /** Rows of a table of so many, by whole numbers. */
  | {
      readonly kind: 'gather';
      readonly layer: string;
      readonly x: number;
      readonly table: number;
      readonly rows: number;
      readonly width: number;
    };

export interface PortableNetwork {
  readonly inputs: number;
  /** A byte times this is an input. */
  readonly byteScale: number;
  /** Multiply-adds a row besides those of products. */
  readonly otherWork: number;
  /** The last one gives the logits. */
  readonly steps: readonly PortableStep[];
  /** What its outputs are: logits of classes that exclude each other, logits of labels that do not, or numbers. */
  readonly link: LinkName;
  /** Of classes that are words, of labels or of numbers. */
  readonly names?: readonly string[];
  /** Do the outputs of a point tell the next one? Else those of a sequence tell a string of labels, the last class blank. */
  readonly continues?: boolean;
  /** A number that is given is this times the output, and that more; default: 1 and 0. */
  readonly units?: { readonly center: readonly number[]; readonly spread: readonly number[] };
}

/** What an exported file says of one example. */
export interface PortablePrediction {
  /** Of classes: the most probable one. */
  readonly label?: number;
  /** The same by its name, where classes have names. */
  readonly class?: string;
  /** Of labels that do not exclude each other: those that are more probable than not, by name where they have one. */
  readonly labels?: (string | number)[];
  /** One number a class or label. */
  readonly probabilities?: number[];
  /** Of numbers: those, by name where they have one. */
  readonly values?: number[] | Record<string, number>;
  /** What the network gives, as it is. */
  readonly logits: number[];
  /** The gates that were open, by their numbers, of every gated layer. */
  readonly gates: { readonly layer: string; readonly open: number[] }[];
  /** Multiply-adds executed. */
  readonly multiplyAdds: number;
}

/** What an exported file with layers that read sequences says of one. */
export interface PortableReading {
  /** By the best path: the most probable class of every point, repeats merged, the last class (blank) left out. */
  readonly labels?: number[];
  /** Of a network that continues sequences: the most probable next point. */
  readonly next?: number;
  /** One a point. */
  readonly points: Omit<PortablePrediction, 'multiplyAdds'>[];
  /** Multiply-adds executed. */
  readonly multiplyAdds: number;
}

/** What a step gives for one row, and the blocks of it where there may be other numbers than 0. */
interface Flow {
  readonly values: ArrayLike<number>;
  readonly size: number;
  readonly open: readonly number[];
}

/**
 * What every exported file runs on. Its text is copied into the file, so that it uses nothing from outside itself; closed
 * blocks are not computed. Sums are in Float64.
 * @param parameters weights and other constants, one after another
 * @param readRow the inputs of a row of a table; default: rows are pixels, or inputs as the network was trained on
 * @returns `predict` for one example, `read` for the points of one sequence: points × inputs numbers, point by point
 */
export function createPredictor(
  network: PortableNetwork,
  parameters: Float32Array,
  readRow?: (row: PortableRow) => Float64Array,
): {
  readonly predict: (row: ArrayLike<number> | PortableRow) => PortablePrediction;
  readonly read: (points: ArrayLike<number>) => PortableReading;
} {
  let multiplyAdds = 0;

  const whole = (values: ArrayLike<number>): Flow => ({ values, size: values.length, open: [0] });

  const valuesOf = (operand: PortableOperand, flows: readonly Flow[]): ArrayLike<number> =>
    typeof operand === 'number' ? flows[operand].values : parameters.subarray(operand.at, operand.at + operand.length);

  /** Adds x·W to `out`; W is inputs × width from `at` on. Of x only the open blocks are read. */
  const addProduct = (x: Flow, at: number, width: number, out: Float64Array): void => {
    for (const block of x.open)
      for (let i = block * x.size; i < (block + 1) * x.size; i++) {
        const value = x.values[i];
        if (value === 0) continue;
        for (let j = 0, w = at + i * width; j < width; j++, w++) out[j] += value * parameters[w];
      }
    multiplyAdds += x.open.length * x.size * width;
  };

  /** Formula by formula; `from` is the place of the first element among all that the operands have. */
  const apply = (
    of: (...elements: number[]) => number,
    operands: readonly ArrayLike<number>[],
    size: number,
    from = 0,
  ): Float64Array => {
    const out = new Float64Array(size);
    const [a, b] = operands;
    const [m, n] = [a.length, b?.length];
    if (operands.length === 1) for (let i = 0; i < size; i++) out[i] = of(a[(from + i) % m]);
    else if (operands.length === 2) for (let i = 0; i < size; i++) out[i] = of(a[(from + i) % m], b[(from + i) % n]);
    else for (let i = 0; i < size; i++) out[i] = of(...operands.map((x) => x[(from + i) % x.length]));
    return out;
  };

  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

  /** Long short-term memory over the points of a sequence. */
  const remember = (step: PortableStep & { kind: 'lstm' }, points: readonly (readonly Flow[])[]): Flow[] => {
    const { units } = step;
    const outputs: Flow[] = [];
    const cells = new Float64Array(units);
    let before = whole(new Float64Array(units));
    for (let p = 0; p < points.length; p++) {
      const at = step.backwards ? points.length - 1 - p : p;
      const z = Float64Array.from(points[at][step.x].values);
      addProduct(before, step.recurrent, 4 * units, z);
      const after = new Float64Array(units);
      for (let u = 0; u < units; u++) {
        // Input, forget, candidate, output.
        cells[u] = sigmoid(z[units + u]) * cells[u] + sigmoid(z[u]) * Math.tanh(z[2 * units + u]);
        after[u] = sigmoid(z[3 * units + u]) * Math.tanh(cells[u]);
      }
      before = whole(after);
      outputs[at] = before;
    }
    return outputs;
  };

  /** Every point reads those of the sequence, or those up to it, head by head. */
  const attend = (step: PortableStep & { kind: 'attention' }, points: readonly (readonly Flow[])[]): Flow[] => {
    const { width, heads, causal } = step;
    const size = width / heads;
    const rows = points.map((flows) => flows[step.x].values);
    return rows.map((own, i) => {
      const seen = causal ? rows.slice(0, i + 1) : rows;
      const out = new Float64Array(width);
      for (let from = 0; from < width; from += size) {
        const scores = seen.map((row) => {
          let score = 0;
          for (let c = from; c < from + size; c++) score += own[c] * row[width + c];
          return score / Math.sqrt(size);
        });
        const top = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
        const weights = scores.map((score) => Math.exp(score - top));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        seen.forEach((row, j) => {
          const share = weights[j] / total;
          for (let c = from; c < from + size; c++) out[c] += share * row[2 * width + c];
        });
      }
      multiplyAdds += 2 * seen.length * width;
      return whole(out);
    });
  };

  const gather = (step: PortableStep & { kind: 'gather' }, indices: ArrayLike<number>): Flow => {
    const { table, rows, width } = step;
    const out = new Float64Array(indices.length * width);
    for (let i = 0; i < indices.length; i++) {
      const row = indices[i];
      if (!(Number.isInteger(row) && row >= 0 && row < rows))
        throw new RangeError(`${step.layer}: a number is ${row}. Expected a whole number from 0 to ${rows - 1}.`);
      out.set(parameters.subarray(table + row * width, table + (row + 1) * width), i * width);
    }
    return whole(out);
  };

  /** One step on all rows, the points of a sequence. */
  const read = (step: PortableStep, rows: readonly (readonly Flow[])[]): Flow[] => {
    if (step.kind === 'lstm') return remember(step, rows);
    if (step.kind === 'attention') return attend(step, rows);
    if (step.kind === 'place') return rows.map((_, place) => whole([place]));
    return rows.map((flows) => compute(step, flows));
  };

  const product = (step: PortableStep & { kind: 'product' }, flows: readonly Flow[]): Flow => {
    const { a, b, batch, m, k, n } = step;
    const out = new Float64Array(batch * m * n);
    if (typeof a === 'number' && typeof b === 'object' && batch * m === 1) {
      addProduct(flows[a], b.at, n, out);
      return whole(out);
    }
    const [left, right] = [valuesOf(a, flows), valuesOf(b, flows)];
    for (let row = 0; row < batch * m; row++)
      for (let i = 0; i < k; i++) {
        const value = left[(row * k + i) % left.length];
        const from = Math.floor(row / m) * k * n + i * n;
        for (let j = 0; j < n; j++) out[row * n + j] += value * right[(from + j) % right.length];
      }
    multiplyAdds += batch * m * k * n;
    return whole(out);
  };

  const openOf = (gates: ArrayLike<number>): number[] => Array.from(gates, (_, k) => k).filter((k) => gates[k] !== 0);

  const blocks = (step: PortableStep & { kind: 'blocks' }, flows: readonly Flow[]): Flow => {
    const { size } = step;
    const gates = valuesOf(step.gates, flows);
    const open = openOf(gates);
    const values = new Float64Array(step.blocks * size);
    for (const k of open) {
      let units: Float64Array = new Float64Array(size);
      addProduct(flows[step.x], step.weights + k * step.inputs * size, size, units);
      for (const { of, operands } of step.formulas) {
        // Each block by its own numbers.
        const own = operands.map((operand) => {
          if (typeof operand === 'number') return units;
          const all = valuesOf(operand, flows);
          return all.length === 1
            ? all
            : parameters.subarray(
                (operand as { at: number }).at + k * size,
                (operand as { at: number }).at + (k + 1) * size,
              );
        });
        units = apply(of, own, size);
      }
      for (let j = 0; j < size; j++) values[k * size + j] = gates[k] * units[j];
    }
    return { values, size, open };
  };

  /** Of every `units` numbers 1 for the largest. */
  const largest = (x: ArrayLike<number>, units: number, count: number): Flow => {
    const out = new Float64Array(x.length);
    for (let from = 0; from < x.length; from += units) {
      const order = Array.from({ length: units }, (_, j) => from + j).sort((i, j) => x[j] - x[i] || i - j);
      for (const place of order.slice(0, count)) out[place] = 1;
    }
    return whole(out);
  };

  const view = ({ x, shape, strides, offset }: PortableStep & { kind: 'view' }, flows: readonly Flow[]): Flow => {
    const from = flows[x].values;
    const out = new Float64Array(shape.reduce((size, extent) => size * extent, 1));
    for (let i = 0; i < out.length; i++) {
      let place = offset;
      for (let axis = shape.length - 1, rest = i; axis >= 0; rest = Math.floor(rest / shape[axis--]))
        place += (rest % shape[axis]) * strides[axis];
      out[i] = from[place];
    }
    return whole(out);
  };

  const concatenate = ({ values, outer }: PortableStep & { kind: 'concatenate' }, flows: readonly Flow[]): Flow => {
    const parts = values.map((operand) => valuesOf(operand, flows));
    const out: number[] = [];
    for (let o = 0; o < outer; o++)
      for (const part of parts) {
        const length = part.length / outer;
        for (let i = o * length; i < (o + 1) * length; i++) out.push(part[i]);
      }
    return whole(out);
  };

  /** One step on one row. */
  const compute = (step: PortableStep, flows: readonly Flow[]): Flow => {
    const { behind } = step;
    if (behind && flows[behind.gates].values[behind.gate] === 0)
      return { values: new Float64Array(behind.size), size: 0, open: [] };
    switch (step.kind) {
      case 'elementwise':
        return whole(
          apply(
            step.of,
            step.operands.map((operand) => valuesOf(operand, flows)),
            step.size,
          ),
        );
      case 'view':
        return view(step, flows);
      case 'sum':
      case 'max': {
        const { values } = flows[step.x];
        const out = new Float64Array(values.length / step.count).fill(step.kind === 'sum' ? 0 : -Infinity);
        for (let i = 0; i < values.length; i++) {
          const to = Math.floor(i / step.count);
          out[to] = step.kind === 'sum' ? out[to] + values[i] : Math.max(out[to], values[i]);
        }
        return whole(out);
      }
      case 'product':
        return product(step, flows);
      case 'concatenate':
        return concatenate(step, flows);
      case 'gather':
        return gather(step, flows[step.x].values);
      case 'largest':
        return largest(flows[step.x].values, step.units, step.count);
      case 'gate': {
        const [gates, values] = [valuesOf(step.gates, flows), valuesOf(step.values, flows)];
        const gated = Float64Array.from(values, (value, i) => {
          const g = gates[Math.floor(i / step.size)];
          return g === 0 ? 0 : g * value;
        });
        return { values: gated, size: step.size, open: openOf(gates) };
      }
      case 'blocks':
        return blocks(step, flows);
      default:
        return whole([]);
    }
  };

  const inputsOf = (numbers: ArrayLike<number>): Float64Array => {
    const bytes = numbers instanceof Uint8Array || numbers instanceof Uint8ClampedArray;
    const values = Float64Array.from(numbers, (number) => Math.fround(bytes ? number * network.byteScale : number));
    const odd = values.findIndex((value) => !Number.isFinite(value));
    if (odd >= 0) throw new RangeError(`Number ${odd} is ${numbers[odd]}. Expected a finite number.`);
    return values;
  };

  /** What the outputs of a row mean. */
  const answerOf = (logits: number[]): Omit<PortablePrediction, 'logits' | 'gates' | 'multiplyAdds'> => {
    const { link, names, units } = network;
    if (link === 'numbers') {
      const values = logits.map((y, i) => (units ? y * units.spread[i] + units.center[i] : y));
      return { values: names ? Object.fromEntries(values.map((value, i) => [names[i], value])) : values };
    }
    if (link === 'labels') {
      const labels = logits.map((_, i) => i).filter((i) => logits[i] > 0);
      return { labels: labels.map((i) => names?.[i] ?? i), probabilities: logits.map(sigmoid) };
    }
    const top = Math.max(...logits);
    const weights = logits.map((logit) => Math.exp(logit - top));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const label = logits.indexOf(top);
    const probabilities = weights.map((weight) => weight / total);
    return { label, ...(names && { class: names[label] }), probabilities };
  };

  /** Every row of `inputs` numbers through all steps. */
  const run = (inputs: Float64Array): Omit<PortablePrediction, 'multiplyAdds'>[] => {
    const size = network.inputs;
    const rows: Flow[][] = Array.from({ length: inputs.length / size }, (_, r) => [
      whole(inputs.subarray(r * size, (r + 1) * size)),
    ]);
    multiplyAdds = rows.length * network.otherWork;
    const gates: { layer: string; open: number[] }[][] = rows.map(() => []);
    for (const step of network.steps.slice(1)) {
      const made = read(step, rows);
      rows.forEach((flows, r) => {
        flows.push(made[r]);
        if (step.kind === 'gate' || step.kind === 'blocks')
          gates[r].push({ layer: step.layer, open: [...made[r].open] });
      });
    }
    return rows.map((flows, r) => {
      const logits = Array.from(flows[flows.length - 1].values);
      return { ...answerOf(logits), logits, gates: gates[r] };
    });
  };

  return {
    predict(row) {
      const pixels = row as ArrayLike<number>;
      if (!readRow && pixels?.length !== network.inputs)
        throw new RangeError(`predict was given ${pixels?.length} pixels. Expected ${network.inputs}.`);
      const [prediction] = run(readRow ? readRow(row) : inputsOf(pixels));
      return { ...prediction, multiplyAdds };
    },
    read(numbers) {
      if (!(numbers?.length > 0) || numbers.length % network.inputs !== 0)
        throw new RangeError(
          `read was given ${numbers?.length} numbers. Expected points of ${network.inputs} numbers each, one after another.`,
        );
      const points = run(inputsOf(numbers));
      if (network.continues) return { next: points[points.length - 1].label as number, points, multiplyAdds };
      const path = points.map(({ label }) => label as number);
      const blank = points[0].logits.length - 1;
      const labels = path.filter((label, t) => label !== blank && label !== path[t - 1]);
      return { labels, points, multiplyAdds };
    },
  };
}
