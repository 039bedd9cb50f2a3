import type { Neuron } from '../neurons/contract.ts';
import { formulaMisfit } from '../neurons/parts/formula-misfit.ts';
import { jointNoiseAsDeclared, keepsToRange, opensAsDeclared, readsAsDeclared } from './declared-facts.ts';
import { showsBroken, survivesExtremes } from './extreme-logits.ts';
import {
  isIdentity,
  opensWithProbability,
  scalesLearning,
  settlesAsExpected,
  weighsByDerivative,
} from './fact-checks.ts';
import { sameAgain } from './replay.ts';
import { byExample, repeatable, updatesAlike } from './same-output.ts';
import type { Verdict } from './verdict.ts';

/** What every neuron has to do, whatever it claims. */
type Check = (neuron: Neuron) => string | undefined;

/** Every check by its name: it gives a sentence that says what is wrong, or nothing. */
const checks: Readonly<Record<string, Check>> = {
  'same input, same output': (neuron) => repeatable(neuron) ?? sameAgain(neuron),
  'same update, same state': updatesAlike,
  'examples by themselves': byExample,
  reads: readsAsDeclared,
  range: keepsToRange,
  jointNoise: jointNoiseAsDeclared,
  opens: opensAsDeclared,
  'extreme logits': survivesExtremes,
  'NaN and infinity': showsBroken,
  opening: opensWithProbability,
  weigh: weighsByDerivative,
  settle: settlesAsExpected,
  identity: isIdentity,
  learningRateScale: scalesLearning,
  formulas: (neuron) => (neuron.formulas === 'none' ? undefined : formulaMisfit(neuron)),
};

/** Runs every check on a neuron. */
export function checkNeuron(neuron: Neuron): Verdict[] {
  return Object.entries(checks).map(([claim, check]): Verdict => {
    try {
      const wrong = check(neuron);
      return { claim, verdict: wrong === undefined ? 'holds' : 'refuted', evidence: wrong ?? 'as it has to be' };
    } catch (error) {
      return { claim, verdict: 'refuted', evidence: `it threw: ${(error as Error).message}` };
    }
  });
}
