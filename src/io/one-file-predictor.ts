/** Neurons of a row, as the exported file has them. */
export interface PortableFiring {
  readonly keep: 'all' | { readonly over: number } | { readonly largest: number };
  readonly bias?: readonly number[];
  /** What an open unit emits at its logit; of a softmax, its score. */
  readonly value: (logit: number) => number;
  readonly softmax?: true;
}

/** firing(x·W + b); `weights` and `bias` are places in the file's one array of weights. */
export interface PortableAffine extends PortableFiring {
  readonly inputs: number;
  readonly units: number;
  readonly weights: number;
  readonly biases: number;
}

/** y_k = g_k·H_k; the weights of the experts stand block by block. */
export interface PortableGated {
  readonly layer: string;
  readonly blocks: number;
  readonly size: number;
  readonly gater: readonly PortableAffine[];
  readonly experts: PortableAffine;
}

/** The outputs of the directions side by side; weights, biases and recurrent weights are places, as in `PortableAffine`. */
export interface PortableLstm {
  readonly units: number;
  readonly directions: readonly {
    readonly backwards: boolean;
    readonly weights: number;
    readonly biases: number;
    readonly recurrent: number;
  }[];
}

export interface PortableNetwork {
  readonly inputs: number;
  /** A byte times this is an input. */
  readonly byteScale: number;
  /** The least that an open unit emits where a softmax says how much. */
  readonly leastOpen: number;
  readonly layers: readonly (PortableAffine | PortableGated | PortableLstm)[];
}

/** What an exported file says of one example. */
export interface PortablePrediction {
  /** The most probable class. */
  readonly label: number;
  /** One number a class. */
  readonly probabilities: number[];
  readonly logits: number[];
  /** The gates that were open, by their numbers, of every gated layer. */
  readonly gates: { readonly layer: string; readonly open: number[] }[];
  /** Multiply-adds executed. */
  readonly multiplyAdds: number;
}

/** What an exported file with LSTM layers says of one sequence. */
export interface PortableReading {
  /** By the best path: the most probable class of every point, repeats merged, the last class (blank) left out. */
  readonly labels: number[];
  /** One a point. */
  readonly points: Omit<PortablePrediction, 'multiplyAdds'>[];
  /** Multiply-adds executed. */
  readonly multiplyAdds: number;
}

/** All units of a layer, and the blocks of them where there may be other numbers than 0. */
interface Flow {
  readonly values: Float64Array;
  readonly size: number;
  readonly open: readonly number[];
}

/**
 * What every exported file runs on. Its text is copied into the file, so that it uses nothing from outside itself; closed
 * blocks are not computed. Sums are in Float64.
 * @param parameters weights and biases of all parts, one after another
 * @returns `predict` for one example, `read` for the points of one sequence: points × inputs numbers, point by point
 */
export function createPredictor(
  network: PortableNetwork,
  parameters: Float32Array,
): {
  readonly predict: (pixels: ArrayLike<number>) => PortablePrediction;
  readonly read: (points: ArrayLike<number>) => PortableReading;
} {
  let multiplyAdds = 0;

  /** Adds x·W to `out` from `to` on; W is inputs × width from `at` on. */
  const addProduct = (x: Flow, at: number, width: number, out: Float64Array, to: number): void => {
    for (const block of x.open)
      for (let i = block * x.size; i < (block + 1) * x.size; i++) {
        const value = x.values[i];
        if (value === 0) continue;
        for (let j = 0, w = at + i * width; j < width; j++, w++) out[to + j] += value * parameters[w];
      }
    multiplyAdds += x.open.length * x.size * width;
  };

  /** Which units are open: a test for each. */
  const openUnits = ({ keep, bias }: PortableFiring, logits: Float64Array): ((unit: number) => boolean) => {
    if (keep === 'all') return () => true;
    const scores = bias ? logits.map((logit, j) => logit + bias[j]) : logits;
    if ('over' in keep) return (unit) => scores[unit] > keep.over;
    const order = Array.from(scores.keys()).sort((i, j) => scores[j] - scores[i] || i - j);
    const kept = new Set(order.slice(0, keep.largest));
    return (unit) => kept.has(unit);
  };

  /** Turns logits into what the units emit. */
  const fire = (firing: PortableFiring, logits: Float64Array): Float64Array => {
    const open = openUnits(firing, logits);
    const h = logits.map((logit, unit) => (open(unit) ? firing.value(logit) : 0));
    if (!firing.softmax) return h;
    const top = h.reduce((most, score, unit) => (open(unit) ? Math.max(most, score) : most), -Infinity);
    const weights = h.map((score, unit) => (open(unit) ? Math.exp(score - top) : 0));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight, unit) => (open(unit) ? Math.max(network.leastOpen, weight / total) : 0));
  };

  const biasesOf = ({ biases, units }: PortableAffine): Float64Array =>
    Float64Array.from(parameters.subarray(biases, biases + units));

  const affine = (stage: PortableAffine, x: Flow): Flow => {
    const logits = biasesOf(stage);
    addProduct(x, stage.weights, stage.units, logits, 0);
    return { values: fire(stage, logits), size: stage.units, open: [0] };
  };

  const gated = ({ gater, experts, blocks, size }: PortableGated, x: Flow): Flow => {
    const gates = gater.reduce((below, stage) => affine(stage, below), x).values;
    const open = Array.from(gates.keys()).filter((k) => gates[k] !== 0);
    const logits = biasesOf(experts);
    // Units that compare themselves with others of their row need all of it.
    const alone = !experts.softmax && !experts.bias && !(experts.keep !== 'all' && 'largest' in experts.keep);
    const computed = alone ? open : Array.from({ length: blocks }, (_, k) => k);
    for (const k of computed) addProduct(x, experts.weights + k * experts.inputs * size, size, logits, k * size);
    const values = new Float64Array(blocks * size);
    const whole = alone ? undefined : fire(experts, logits);
    for (const k of open) {
      const units = whole
        ? whole.subarray(k * size, (k + 1) * size)
        : fire(experts, logits.subarray(k * size, (k + 1) * size));
      for (let j = 0; j < size; j++) values[k * size + j] = gates[k] * units[j];
    }
    return { values, size, open };
  };

  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

  /** Long short-term memory over the points of a sequence, in one direction or in both. */
  const remember = ({ units, directions }: PortableLstm, points: readonly Flow[]): Flow[] => {
    const width = directions.length * units;
    const outputs = points.map(() => new Float64Array(width));
    directions.forEach(({ backwards, weights, biases, recurrent }, which) => {
      const cells = new Float64Array(units);
      let before = new Float64Array(units);
      for (let n = 0; n < points.length; n++) {
        const at = backwards ? points.length - 1 - n : n;
        const z = Float64Array.from(parameters.subarray(biases, biases + 4 * units));
        addProduct(points[at], weights, 4 * units, z, 0);
        addProduct({ values: before, size: units, open: [0] }, recurrent, 4 * units, z, 0);
        const after = new Float64Array(units);
        for (let u = 0; u < units; u++) {
          // Input, forget, candidate, output.
          cells[u] = sigmoid(z[units + u]) * cells[u] + sigmoid(z[u]) * Math.tanh(z[2 * units + u]);
          after[u] = sigmoid(z[3 * units + u]) * Math.tanh(cells[u]);
        }
        outputs[at].set(after, which * units);
        before = after;
      }
    });
    return outputs.map((values) => ({ values, size: width, open: [0] }));
  };

  const inputsOf = (numbers: ArrayLike<number>): Float64Array => {
    const bytes = numbers instanceof Uint8Array || numbers instanceof Uint8ClampedArray;
    const values = Float64Array.from(numbers, (number) => Math.fround(bytes ? number * network.byteScale : number));
    const odd = values.findIndex((value) => !Number.isFinite(value));
    if (odd >= 0) throw new RangeError(`Number ${odd} is ${numbers[odd]}; a finite number would do.`);
    return values;
  };

  /** Every row of `inputs` numbers through all layers. */
  const apply = (inputs: Float64Array): Omit<PortablePrediction, 'multiplyAdds'>[] => {
    multiplyAdds = 0;
    const size = network.inputs;
    let rows: Flow[] = Array.from({ length: inputs.length / size }, (_, r) => {
      return { values: inputs.subarray(r * size, (r + 1) * size), size, open: [0] };
    });
    const gates: { layer: string; open: number[] }[][] = rows.map(() => []);
    for (const layer of network.layers) {
      if ('directions' in layer) rows = remember(layer, rows);
      else if ('gater' in layer) {
        rows = rows.map((row) => gated(layer, row));
        rows.forEach(({ open }, r) => {
          gates[r].push({ layer: layer.layer, open: [...open] });
        });
      } else rows = rows.map((row) => affine(layer, row));
    }
    return rows.map(({ values }, r) => {
      const logits = Array.from(values);
      const top = Math.max(...logits);
      const weights = logits.map((logit) => Math.exp(logit - top));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const probabilities = weights.map((weight) => weight / total);
      return { label: logits.indexOf(top), probabilities, logits, gates: gates[r] };
    });
  };

  return {
    predict(pixels) {
      if (pixels?.length !== network.inputs)
        throw new RangeError(`predict was given ${pixels?.length} pixels; ${network.inputs} would do.`);
      const [prediction] = apply(inputsOf(pixels));
      return { ...prediction, multiplyAdds };
    },
    read(numbers) {
      if (!(numbers?.length > 0) || numbers.length % network.inputs !== 0)
        throw new RangeError(
          `read was given ${numbers?.length} numbers; points of ${network.inputs} numbers each, one after another, would do.`,
        );
      const points = apply(inputsOf(numbers));
      const path = points.map(({ label }) => label);
      const blank = points[0].logits.length - 1;
      const labels = path.filter((label, t) => label !== blank && label !== path[t - 1]);
      return { labels, points, multiplyAdds };
    },
  };
}
