import type { Neuron, Numbers } from '../neurons/contract.ts';
import type { DrawnPass } from './drawn-pass.ts';
import { firedPass, gradientOf } from './fired-pass.ts';

/** Minibatches of extreme logits that a state has to bear. */
const UPDATES = 50;
const EXTREMES = [50, -50, 1e4, -1e4, 0, 87, -87, 104, -104, 700, -700];

/** Is everything finite at logits that are far out, before and after updates? */
export function survivesExtremes(neuron: Neuron): string | undefined {
  let next = 0;
  const logit = (): number => EXTREMES[next++ % EXTREMES.length];
  const pass = firedPass(neuron, 2 * EXTREMES.length, Math.min(3, neuron.mostUnits ?? 3), { seed: 37, logit });
  const broken = (what: string, values: ArrayLike<number>): string | undefined => {
    const at = Array.from(values).findIndex((value) => !Number.isFinite(value));
    return at < 0 ? undefined : `${what} is ${values[at]} at the logit ${pass.logits[at % pass.logits.length]}`;
  };
  const fixed = [neuron.expect, neuron.whenOpen].map((f) => pass.logits.map((logit) => f(logit)));
  const wrong =
    broken('h', pass.h) ??
    broken('the gradient', gradientOf(neuron, pass)) ??
    broken('`expect`', fixed[0]) ??
    broken('`whenOpen`', fixed[1]);
  if (wrong !== undefined) return wrong;
  for (let step = 0; step < UPDATES; step++) neuron.update?.(pass);
  if (!Object.values(pass.state).every((values) => values.every(Number.isFinite)))
    return `the state is not finite after updates on logits among ${EXTREMES.join(', ')}`;
  const later = broken('the gradient', gradientOf(neuron, pass));
  return later && `${later}, after updates on logits among ${EXTREMES.join(', ')}`;
}

/** Does a logit that is no number show in h? */
export function showsBroken(neuron: Neuron): string | undefined {
  const units = Math.min(3, neuron.mostUnits ?? 3);
  for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const seen = ({ h, logits }: DrawnPass<Numbers>): boolean => !h.subarray(0, logits.length).every(Number.isFinite);
    if (!seen(firedPass(neuron, 1, 1, { seed: 38, logit: () => broken })))
      return `a logit of ${broken} gives an h that is finite, so that it would go unseen; expected that \`fire\` sets h to NaN where the logit is not finite, as \`fireEach\` does`;
    if (!seen(firedPass(neuron, 1, units, { seed: 38, logit: (x, i) => (i === 0 || x > 0 ? broken : x) })))
      return `a logit of ${broken} beside others leaves all h finite; expected that \`fire\` sets h of that unit (or of all that depend on it) to NaN`;
  }
  return undefined;
}
