import type { Finding } from '../kit/experiment.ts';
import { endsOf, isOver } from '../kit/outcome.ts';
import { judge, withHalf } from '../kit/statistics.ts';
import {
  difference,
  level,
  type Part,
  percentPoints,
  type Runs,
  testError,
  thousands,
  workAtTest,
} from './net-runs.ts';
import { multiplyAddsOf, nameOfNet, ungated } from './nets.ts';
import {
  candidatesOf,
  fasterAlike,
  inTimes,
  inWords,
  sameCost,
  sameTime,
  speedUp,
  WAYS,
  type Way,
} from './speed-up.ts';

/** The gated net with the greatest speed-up over the dense net of its error, and what is to be said of an aim. */
export function finding(part: Part, engine: string, way: Way, aim: number): Finding {
  const candidates = candidatesOf(part, engine, way);
  const [best] = candidates;
  const words = aim === 1 ? 'faster' : `at least ${aim} times faster`;
  const claim = `A gated net is ${words} than the dense net of its error (${WAYS[way]}, ${engine})`;
  if (!best) return { claim, outcome: 'not shown', evidence: 'No gated net has been timed.' };
  const apart = difference(best.net, best.dense);
  return {
    claim,
    outcome: fasterAlike(best, aim),
    evidence: `Fastest of ${candidates.length}: ${inWords(best)}; test error ${percentPoints(level(best.net, testError).mean)}% against ${percentPoints(level(best.dense, testError).mean)}%, difference ${withHalf(apart, percentPoints)}; multiply-adds ${thousands(level(best.net, workAtTest).mean)} against ${thousands(multiplyAddsOf(best.dense.net, 784))} thousand.`,
  };
}

/** The gated net that is the most times as fast as the same experts without gates, whatever their errors, which stand beside. */
export function twinFinding({ gated, dense }: Part, engine: string, way: Way, aim: number): Finding {
  const candidates = gated
    .map((net) => ({ net, twin: ungated(net.net), factor: speedUp(net, ungated(net.net), engine, way) }))
    .filter(({ factor }) => factor.count > 0)
    .toSorted((a, b) => b.factor.mean - a.factor.mean);
  const words = aim === 1 ? 'faster' : `at least ${aim} times faster`;
  const claim = `A gated net is ${words} than the same experts without gates (${WAYS[way]}, ${engine})`;
  const [best] = candidates;
  if (!best) return { claim, outcome: 'not shown', evidence: 'No gated net has been timed.' };
  const trained = dense.find(({ name }) => name === nameOfNet(best.twin));
  const errors = trained
    ? `its test error less that of the experts: ${withHalf(difference(best.net, trained), percentPoints)} points`
    : 'those were timed, not trained';
  return {
    claim,
    outcome: isOver(endsOf(best.factor), Math.log(aim)),
    evidence: `Fastest of ${candidates.length}: ${best.net.name}, ${inTimes(best.factor)} times as fast as ${nameOfNet(best.twin)}; ${errors}.`,
  };
}

/** Errors against those of dense nets that cost the same. */
function costFinding({ gated }: Part, same: string, otherOf: (net: Runs) => Runs): Finding {
  const others = gated.map(otherOf);
  const judged = judge(gated.map((net, i) => difference(net, others[i])));
  const verdicts = gated.map(({ name }, i) => ({
    text: `${name}: ${withHalf(judged[i], percentPoints)} against ${others[i].name}`,
    is: judged[i].verdict,
  }));
  const better = verdicts.filter(({ is }) => is === 'better');
  const worse = verdicts.filter(({ is }) => is === 'worse');
  const rest = verdicts.length - better.length - worse.length;
  return {
    claim: `Gated nets err less than dense nets of the same ${same}`,
    outcome:
      better.length > 0 && worse.length === 0
        ? 'holds'
        : worse.length > 0 && better.length === 0
          ? 'refuted'
          : 'not shown',
    evidence: `${better.length} better, ${worse.length} worse, ${rest} not told apart${judged.length > 1 ? ` (Holm, of ${judged.length})` : ''}. Test error, points: ${verdicts.map(({ text }) => text).join('; ')}.`,
  };
}

export const costFindings = (part: Part, engine: string | undefined): Finding[] => [
  costFinding(part, 'multiply-adds', (net) => sameCost(net, part.dense)),
  ...(engine === undefined
    ? []
    : [costFinding(part, `measured time (one example, ${engine})`, (net) => sameTime(net, part.dense, engine))]),
];
