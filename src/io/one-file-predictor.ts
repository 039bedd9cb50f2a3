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

export interface PortableNetwork {
  readonly inputs: number;
  /** A byte times this is an input. */
  readonly byteScale: number;
  /** The least that an open unit emits where a softmax says how much. */
  readonly leastOpen: number;
  readonly layers: readonly (PortableAffine | PortableGated)[];
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
 */
export function createPredictor(
  network: PortableNetwork,
  parameters: Float32Array,
): (pixels: ArrayLike<number>) => PortablePrediction {
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

  const inputsOf = (pixels: ArrayLike<number>): Flow => {
    if (pixels?.length !== network.inputs)
      throw new RangeError(`predict was given ${pixels?.length} pixels; ${network.inputs} would do.`);
    const bytes = pixels instanceof Uint8Array || pixels instanceof Uint8ClampedArray;
    const values = Float64Array.from(pixels, (pixel) => Math.fround(bytes ? pixel * network.byteScale : pixel));
    const odd = values.findIndex((value) => !Number.isFinite(value));
    if (odd >= 0) throw new RangeError(`Pixel ${odd} is ${pixels[odd]}; a finite number would do.`);
    return { values, size: network.inputs, open: [0] };
  };

  return (pixels) => {
    multiplyAdds = 0;
    const gates: { layer: string; open: number[] }[] = [];
    let flow = inputsOf(pixels);
    for (const layer of network.layers) {
      if ('gater' in layer) {
        flow = gated(layer, flow);
        gates.push({ layer: layer.layer, open: [...flow.open] });
      } else flow = affine(layer, flow);
    }
    const logits = Array.from(flow.values);
    const top = Math.max(...logits);
    const weights = logits.map((logit) => Math.exp(logit - top));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const probabilities = weights.map((weight) => weight / total);
    return { label: logits.indexOf(top), probabilities, logits, gates, multiplyAdds };
  };
}
