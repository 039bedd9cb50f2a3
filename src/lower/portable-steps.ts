import type { PortableNetwork, PortableOperand, PortableStep } from './portable-network.ts';

/** What a step gives for one row, and the blocks of it where there may be other numbers than 0. */
interface Flow {
  readonly values: ArrayLike<number>;
  readonly size: number;
  readonly open: readonly number[];
}

/** What the steps of a network give for rows of inputs, one row after another. */
export type StepRunner = (inputs: Float64Array) => {
  readonly rows: {
    readonly logits: number[];
    /** The gates that were open, by their numbers, of every gated layer. */
    readonly gates: { readonly layer: string; readonly open: number[] }[];
  }[];
  /** Multiply-adds executed. */
  readonly multiplyAdds: number;
};

/**
 * What every exported file runs on. Its text is copied into the file, so that it uses nothing from outside itself; closed
 * blocks are not computed. Sums are in Float64.
 * @param parameters weights and other constants, one after another
 */
export function createStepRunner(network: PortableNetwork, parameters: Float32Array): StepRunner {
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

  return (inputs) => {
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
    const outputs = rows.map((flows, r) => ({
      logits: Array.from(flows[flows.length - 1].values),
      gates: gates[r],
    }));
    return { rows: outputs, multiplyAdds };
  };
}
