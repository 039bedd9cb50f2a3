import { auditNeuron, type NeuronAudit } from '../src/audit/audit-neuron.ts';
import { type ProblemName, problemKinds } from '../src/audit/problems.ts';
import type { Variant } from '../src/audit/variants.ts';
import type { Verdict } from '../src/audit/verdict.ts';

/** What neurons are measured on. */
export interface MeasureFlags {
  readonly problem: ProblemName;
  readonly units: number;
  readonly evaluations: number;
  readonly samples: number;
  readonly seed: number;
  readonly thorough?: boolean;
}

/** What is known of one neuron. */
export interface AuditRow extends NeuronAudit {
  /** How it was asked for. */
  readonly neuron: string;
  readonly verdicts: readonly Verdict[];
}

/** What its gradient is worth on the problem that was asked for. */
export function measureRow({ neuron }: Variant, flags: MeasureFlags): NeuronAudit {
  const { units, evaluations, samples, seed } = flags;
  return auditNeuron(neuron, { problem: problemKinds[flags.problem], units, evaluations, samples, seed });
}

const none = Number.NaN;
const nothing = new Float64Array(0);

/** Of a neuron that could not be measured. */
export const unmeasured = (name: string, problem: ProblemName): NeuronAudit => ({
  name,
  problem,
  units: 0,
  unit: 'own',
  method: 'sampling',
  samples: 0,
  evaluations: 0,
  truth: nothing,
  mean: nothing,
  variance: nothing,
  bias: { value: none, least: none, most: none },
  totalVariance: none,
  squaredError: none,
  atEqualCompute: Number.POSITIVE_INFINITY,
  cosine: none,
  cosineOfDraws: none,
  signs: none,
  signsOfDraws: none,
  seconds: none,
});

/**
 * The verdicts with the bias that is printed beside them: a neuron is not called unbiased in a row that shows its bias. What a
 * declared factor makes of it, integration has tested.
 */
export function withPrinted({ neuron }: Variant, row: NeuronAudit, verdicts: readonly Verdict[]): readonly Verdict[] {
  if (!neuron.claims.unbiased || neuron.claims.scale) return verdicts;
  const size = Math.hypot(...row.truth) + Math.sqrt(row.totalVariance);
  if (!(row.bias.least > 1e-6 * size)) return verdicts;
  const evidence = `|E[ĝ] − ∇| is ${row.bias.value.toPrecision(3)} on "${row.problem}", by ${row.method}`;
  return verdicts.map((one) =>
    one.claim === 'unbiased' && one.verdict !== 'refuted' ? { ...one, verdict: 'refuted', evidence } : one,
  );
}
