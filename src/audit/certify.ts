import type { Engine } from '../backend/engine.ts';
import type { Neuron } from '../neurons/contract.ts';
import { checkNames, type NamesOf } from '../schema/names.ts';
import { drawsOf } from '../tensor/draws.ts';
import { type BiasMeasures, biasVerdicts, measureBias, totalVerdict } from './bias-claim.ts';
import { checkNeuron } from './checks.ts';
import { withDrawnInputs } from './drawn-inputs.ts';
import { expectationVerdicts } from './expectation-claims.ts';
import { otherOptions } from './option-values.ts';
import { relaxationVerdict } from './relaxation-claim.ts';
import { kernelsMisfit } from './twin-check.ts';
import type { Variant } from './variants.ts';
import { type TestOptions, type Verdict, worstOf } from './verdict.ts';

export interface CertifyOptions extends TestOptions {
  /** Engines whose kernels a `twin` is held against; without any, `twin` is undecided. */
  readonly engines?: readonly Engine[];
}

const NAMES: NamesOf<CertifyOptions> = { engines: true, seed: true, thorough: true };

/** Evaluations of the loss of one row that other values of options may ask for in a layer of a few units. */
const MOST_DRAWS = 512;
const FEW_UNITS = 4;
/** Largest groups: a group is integrated as a whole, one class within the other. */
const MOST_CLASSES = 8;
/** With --thorough. */
const THOROUGH = 10;

/**
 * Holds a neuron against everything that it declares and has to do, at places drawn from the whole domain (logits, losses, units, rows,
 * states, Float32 and Float64 arrays; of a variant of a definition the values of its options too): its claims by exact integration where
 * two grids agree, else by sampling; its facts and kernels on random input. Of all that was looked at, the worst stands.
 */
export function certify(subject: Neuron | Variant, options: CertifyOptions = {}): Verdict[] {
  checkNames('certify', options, NAMES);
  const variant: Variant = 'fire' in subject ? { text: subject.name, neuron: subject } : subject;
  const checked = checkNeuron(withDrawnInputs(variant.neuron));
  // What throws or forgets an output cannot be measured.
  if (checked[0].verdict === 'refuted') return checked;
  return worstOf([...claimsOf(variant, options), ...checked, ...twinVerdict(variant.neuron, options)]);
}

/** Tests every claim that a neuron declares, with its usual options and with others. */
function claimsOf(variant: Variant, options: TestOptions): Verdict[] {
  const { seed = 1, thorough = false } = options;
  const others = otherOptions(variant, seed, thorough ? THOROUGH : 1).filter(({ neuron }) => fits(neuron));
  // Of a neuron that reads its layer's input, where the logits stand for it too.
  const alone = variant.neuron.readsInput
    ? [{ text: `${variant.text}, its layer’s input unknown`, neuron: variant.neuron }]
    : [];
  const all = [
    ...[variant, ...others].map(({ text, neuron }) => ({ text, neuron: withDrawnInputs(neuron) })),
    ...alone,
  ];
  const verdicts: Verdict[] = [];
  const biases: BiasMeasures[] = [];
  for (const [i, { text, neuron }] of all.entries()) {
    const guarded = (claim: string, test: () => readonly (Verdict | undefined)[]): void => {
      try {
        for (const one of test()) if (one) verdicts.push(i === 0 ? one : within(text, one));
      } catch (error) {
        verdicts.push({ claim, verdict: 'refuted', evidence: `it threw: ${(error as Error).message}, with ${text}` });
      }
    };
    guarded('mean', () => expectationVerdicts(neuron, options));
    guarded('unbiased', () => {
      biases.push(measureBias(neuron, text, i === 0, options));
      return [];
    });
    if (i === 0 && neuron.claims.unbiasedRelaxation) guarded('relaxation', () => [relaxationVerdict(neuron, options)]);
  }
  return [...biasVerdicts(biases), ...[totalVerdict(biases)].flatMap((one) => one ?? []), ...verdicts];
}

/** Is it affordable in a layer of a few units, its groups of a few classes? */
const fits = (neuron: Neuron): boolean => {
  const { group = 1, mostUnits = Number.POSITIVE_INFINITY } = neuron;
  return group <= MOST_CLASSES && drawsOf(neuron, Math.min(Math.max(FEW_UNITS, group), mostUnits)) <= MOST_DRAWS;
};

const within = (text: string, { evidence, ...one }: Verdict): Verdict => ({
  ...one,
  evidence: `${evidence}, with ${text}`,
});

function twinVerdict(neuron: Neuron, { engines = [] }: CertifyOptions): Verdict[] {
  if (!neuron.twin) return [];
  const claim = 'twin';
  if (engines.length === 0)
    return [{ claim, verdict: 'undecided', evidence: 'no engine was given to run its kernels on' }];
  try {
    const wrong = engines.map((engine) => kernelsMisfit(neuron, engine)).find((one) => one !== undefined);
    const evidence =
      wrong ?? `its kernels do what its functions do, on ${engines.map(({ name }) => name).join(' and ')}`;
    return [{ claim, verdict: wrong === undefined ? 'holds' : 'refuted', evidence }];
  } catch (error) {
    return [{ claim, verdict: 'refuted', evidence: (error as Error).message }];
  }
}
