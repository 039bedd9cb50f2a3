import { type Dataset, digits, makeDataset, type Split } from '../../../src/index.ts';

/** Examples that are written without a pause. */
const PART = 250;
const COUNTS = { train: 10_000, valid: 2_000, test: 2_000 };
/** The numbers of the first and of the last example but one: those of `digitsSplit`, hence of the command line. */
const TEST = [COUNTS.train + COUNTS.valid, COUNTS.train + COUNTS.valid + COUNTS.test] as const;

/** Digits are being written: the share that is done. */
export interface Writing {
  readonly event: 'data';
  readonly share: number;
}

let known: { readonly seed: number; readonly split?: Split; readonly test: Dataset } | undefined;

/** The digits of a seed as `digitsSplit` writes them, a part at a time, so that others get their turn. The last ones are kept. */
export async function* writeSplit(seed: number): AsyncGenerator<Writing, Split> {
  if (known?.seed === seed && known.split) return known.split;
  const all = yield* writeDigits(seed, 0, TEST[1]);
  const split = {
    train: all.cut(0, COUNTS.train),
    valid: all.cut(COUNTS.train, TEST[0]),
    test: all.cut(...TEST),
  };
  known = { seed, split, test: split.test };
  return split;
}

/** The test part of the same. */
export async function* writeTest(seed: number): AsyncGenerator<Writing, Dataset> {
  if (known?.seed === seed) return known.test;
  const all = yield* writeDigits(seed, ...TEST);
  known = { seed, test: all.cut(...TEST) };
  return known.test;
}

interface Written {
  /** The examples with these numbers. */
  cut(from: number, to: number): Dataset;
}

/** The examples with these numbers, a part at a time. */
export async function* writeDigits(seed: number, from: number, to: number): AsyncGenerator<Writing, Written> {
  const facts = digits({ seed, first: from, count: 1 });
  const features = new Uint8Array((to - from) * facts.width);
  const labels = new Uint8Array(to - from);
  for (let first = from; first < to; first += PART) {
    yield { event: 'data', share: (first - from) / (to - from) };
    const part = digits({ seed, first, count: Math.min(PART, to - first) });
    features.set(part.features, (first - from) * facts.width);
    labels.set(part.labels, first - from);
  }
  const { name, scale, width, classes, image } = facts;
  return {
    cut: (start, end) =>
      makeDataset({
        name,
        scale,
        width,
        classes,
        ...(image && { image }),
        features: features.subarray((start - from) * width, (end - from) * width),
        labels: labels.subarray(start - from, end - from),
      }),
  };
}
