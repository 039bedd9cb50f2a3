import type { PortableRow } from './one-file-row.ts';
import type { PortableNetwork } from './portable-network.ts';
import type { StepRunner } from './portable-steps.ts';

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

/**
 * What an exported file answers. Its text is copied into the file, so that it uses nothing from outside itself but what it is given.
 * @param runSteps runs the network: see `createStepRunner`
 * @param readRow the inputs of a row of a table; default: rows are pixels, or inputs as the network was trained on
 * @returns `predict` for one example, `read` for the points of one sequence: points × inputs numbers, point by point
 */
export function createPredictor(
  network: PortableNetwork,
  runSteps: StepRunner,
  readRow?: (row: PortableRow) => Float64Array,
): {
  readonly predict: (row: ArrayLike<number> | PortableRow) => PortablePrediction;
  readonly read: (points: ArrayLike<number>) => PortableReading;
} {
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

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

  return {
    predict(row) {
      const pixels = row as ArrayLike<number>;
      if (!readRow && pixels?.length !== network.inputs)
        throw new RangeError(`predict was given ${pixels?.length} pixels. Expected ${network.inputs}.`);
      const { rows, multiplyAdds } = runSteps(readRow ? readRow(row) : inputsOf(pixels));
      return { ...answerOf(rows[0].logits), ...rows[0], multiplyAdds };
    },
    read(numbers) {
      if (!(numbers?.length > 0) || numbers.length % network.inputs !== 0)
        throw new RangeError(
          `read was given ${numbers?.length} numbers. Expected points of ${network.inputs} numbers each, one after another.`,
        );
      const { rows, multiplyAdds } = runSteps(inputsOf(numbers));
      const points = rows.map((row) => ({ ...answerOf(row.logits), ...row }));
      if (network.continues) return { next: points[points.length - 1].label as number, points, multiplyAdds };
      const path = points.map(({ label }) => label as number);
      const blank = points[0].logits.length - 1;
      const labels = path.filter((label, t) => label !== blank && label !== path[t - 1]);
      return { labels, points, multiplyAdds };
    },
  };
}
