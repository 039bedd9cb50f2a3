import type { Answer, Report, ReportTable } from '../kit/experiment.ts';
import { PAYS } from '../kit/outcome.ts';
import { type Interval, interval, withHalf } from '../kit/statistics.ts';
import { chartsOf } from './charts.ts';
import { costFindings, finding, twinFinding } from './findings.ts';
import {
  level,
  type Part,
  partOf,
  percentPoints,
  type Runs,
  testError,
  thousands,
  times,
  validError,
  workAtTest,
} from './net-runs.ts';
import { multiplyAddsOf, type Net, nameOfNet, ungated } from './nets.ts';
import { PUBLISHED, publishedFindings } from './published.ts';
import {
  type Candidate,
  candidatesOf,
  enginesOf,
  fasterAlike,
  inTimes,
  inWords,
  sameError,
  speedUp,
  WAYS,
  type Way,
} from './speed-up.ts';
import type { SpeedDone } from './trial.ts';

/** How many times faster a gated net is to be. */
const AIM = 3;

/** Gates that were trained to open this many times their target are told of. */
const TOO_OPEN = 1.2;

/** Gated nets that no dense net matches in validation error at no more cost. */
const unbeaten = ({ gated, dense }: Part, cheaper: (dense: Runs, gated: Runs) => boolean): Runs[] =>
  gated.filter(
    (net) =>
      !dense.some((other) => cheaper(other, net) && level(other, validError).mean <= level(net, validError).mean),
  );

/** What a reader takes home, on one engine. */
function learntOf(part: Part, engine: string): string[] {
  const against = againstDense(part, engine);
  if (against.length === 0) return [];
  const errors = part.dense.toSorted((a, b) => multiplyAddsOf(a.net, 784) - multiplyAddsOf(b.net, 784));
  const curve = errors.map((net) => `${net.name.replace('dense ', '')}: ${percentPoints(level(net, testError).mean)}`);
  const names = (own: readonly Runs[]): string => own.map(({ name }) => name).join('; ') || 'none';
  const byWork = unbeaten(part, ({ net }, gated) => multiplyAddsOf(net, 784) <= level(gated, workAtTest).mean);
  const byTime = unbeaten(part, ({ net }, gated) => speedUp(gated, net, engine, 'one').mean <= 0);
  return [
    `Gated nets that no dense net of the grid matches on validation at as few multiply-adds: ${names(byWork)}. In as little measured time, one example at a time: ${names(byTime)}.`,
    `Test error of the dense nets, by multiply-adds, %: ${curve.join(', ')}. What a gated net can save is what the dense nets need for their last tenths.`,
    ...against,
    ...tooOpen(part),
  ];
}

/** What is said of time against the dense nets of the same error, on one engine. */
function againstDense(part: Part, engine: string): string[] {
  const [inference, step] = (['one', 'step'] as const).map((way) => candidatesOf(part, engine, way));
  const [best, bestStep] = [inference[0], step[0]];
  if (!best || !bestStep) return [];
  const faster = (own: readonly Candidate[], aim: number): string => {
    const count = own.filter((candidate) => fasterAlike(candidate, aim) === 'holds').length;
    return `${count} of ${own.length} gated nets`;
  };
  return [
    `At inference, one example at a time (${engine}), ${faster(inference, AIM)} are shown to be at least ${AIM} times faster than the dense net of their error, ${faster(inference, 1)} to be faster at all; the fastest: ${inWords(best)}.`,
    `In training, a step (${engine}), ${faster(step, 1)} are shown to be faster than the dense net of their error; the fastest: ${inWords(bestStep)}.`,
  ];
}

/** The same of the first engine that was measured. */
export function againstDenseOf(finished: readonly SpeedDone[]): string[] {
  const part = partOf(finished);
  const [engine] = enginesOf(part.gated);
  return engine === undefined ? [] : againstDense(part, engine);
}

/** Gates that a threshold cuts to a target that they were not trained at. */
function tooOpen({ gated }: Part): string[] {
  const told = gated.flatMap(({ name, net: { gates }, runs }) => {
    const open = interval(runs.map((run) => run.open)).mean;
    return gates && open > TOO_OPEN * gates.rate ? [`${name}: ${percentPoints(open)}%`] : [];
  });
  return told.length === 0
    ? []
    : [
        `Gates that open more than their target as sampled, and are cut to it for the test, which costs errors that a heavier penalty in training might not: ${told.join('; ')}.`,
      ];
}

function levelsOf({ nets, onMnist }: Part): ReportTable {
  const inBrackets = (net: Net): string => {
    const found = onMnist ? PUBLISHED.find(({ is }) => is(net)) : undefined;
    return found ? ` (${found.error})` : '';
  };
  return {
    title: `Errors in percent, means over seeds with 95% intervals${onMnist ? ' (published in 2015 in brackets)' : ''}, and multiply-adds of one example in thousands`,
    head: ['net', 'seeds', 'rate', 'valid', 'test', 'open as sampled, %', 'at test', 'training', 'all blocks'],
    rows: nets.map((own) => [
      own.name,
      String(own.runs.length),
      String(own.runs[0].learningRate),
      withHalf(level(own, validError), percentPoints),
      `${withHalf(level(own, testError), percentPoints)}${inBrackets(own.net)}`,
      own.net.gates ? percentPoints(level(own, ({ open }) => open).mean) : '',
      thousands(level(own, workAtTest).mean),
      thousands(level(own, ({ multiplyAdds }) => multiplyAdds.training).mean),
      thousands(level(own, ({ multiplyAdds }) => multiplyAdds.all).mean),
    ]),
  };
}

function speedsOf({ gated, dense }: Part, engine: string): ReportTable {
  const factors = (net: Runs, other: Net): string[] =>
    (Object.keys(WAYS) as Way[]).map((way) => inTimes(speedUp(net, other, engine, way)));
  const kinds = ['of the same error', 'of the same experts, ungated'];
  return {
    title: `How many times the gated net’s time a dense net takes, ${engine}`,
    head: ['gated net', ...kinds.flatMap((kind) => [`dense net ${kind}`, ...Object.values(WAYS)])],
    rows: gated.map((net) => {
      const same = sameError(net, dense);
      const twin = ungated(net.net);
      return [
        net.name,
        `${same.dense.name}${same.reached ? '' : ' (best, not as good)'}`,
        ...factors(net, same.dense.net),
        nameOfNet(twin),
        ...factors(net, twin),
      ];
    }),
  };
}

/** Do gates pay, against the dense net of their error? */
function answerOf(part: Part, engine: string): Answer | undefined {
  const [inference] = candidatesOf(part, engine, 'one');
  if (!inference || Number.isNaN(inference.factor.half)) return undefined;
  const step = speedUp(inference.net, inference.dense.net, engine, 'step');
  const [twin] = part.gated
    .map((net) => speedUp(net, ungated(net.net), engine, 'one'))
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => b.mean - a.mean);
  const pays = PAYS[fasterAlike(inference, 1)];
  const longer = (own: Interval): string => inTimes({ ...own, mean: -own.mean });
  return {
    verdict: `On ${part.onMnist ? 'MNIST' : 'digits that the library writes'} gates ${pays}: the fastest gated net takes ${longer(inference.factor)} times as long for an example as the dense net that errs as little, and ${longer(step)} times as long for a training step${twin ? `; beside their own experts without gates, gated nets are up to ${times(Math.exp(twin.mean))} times as fast` : ''}.`,
    change:
      'A task on which larger dense nets keep erring less, so that there is work for gates to skip. conditional-text measures that on text.',
  };
}

/** What the finished trials say, in tables, findings and pictures. */
export function reportConditionalSpeed(finished: readonly SpeedDone[]): Report {
  const part = partOf(finished);
  const { gated, dense } = part;
  if (gated.length === 0 || dense.length === 0) return { findings: [], learnt: [], tables: [], charts: [] };
  const engines = enginesOf(gated);
  const [first] = engines;
  const answer = first === undefined ? undefined : answerOf(part, first);
  return {
    ...(answer && { answer }),
    findings: [
      ...engines.flatMap((engine) => [
        finding(part, engine, 'one', AIM),
        finding(part, engine, 'hundred', AIM),
        finding(part, engine, 'step', 1),
        twinFinding(part, engine, 'one', AIM),
        twinFinding(part, engine, 'step', 1),
      ]),
      ...costFindings(part, first),
      ...publishedFindings(part),
    ],
    learnt: first === undefined ? [] : learntOf(part, first),
    tables: [levelsOf(part), ...engines.map((engine) => speedsOf(part, engine))],
    charts: first === undefined ? [] : chartsOf(part, first),
  };
}

/** The gated net that does best against the dense net of its error, beside that one and its own experts without gates: the README's table. */
export function renderFrontDoor(finished: readonly SpeedDone[]): string {
  const part = partOf(finished);
  const [engine] = enginesOf(part.gated);
  const [best] = candidatesOf(part, engine, 'one');
  const twin = ungated(best.net.net);
  const trained = part.dense.find(({ name }) => name === nameOfNet(twin));
  const errorOf = (own: Runs | undefined): string => (own ? withHalf(level(own, testError), percentPoints) : '');
  const timeOf = (net: Net): string[] =>
    (['one', 'step'] as const).map((way) => inTimes(speedUp(best.net, net, engine, way)).replace(' to ', '–'));
  const rows = [
    [best.net.name, errorOf(best.net), thousands(level(best.net, workAtTest).mean), '1', '1'],
    [
      `${best.dense.name}: equal error`,
      errorOf(best.dense),
      thousands(multiplyAddsOf(best.dense.net, 784)),
      ...timeOf(best.dense.net),
    ],
    [`${nameOfNet(twin)}: no gates`, errorOf(trained), thousands(multiplyAddsOf(twin, 784)), ...timeOf(twin)],
  ];
  const head = ['MNIST', 'test error, %', 'thousand multiply-adds', 'time of an example', 'of a training step'];
  return [head, ['---', ...head.slice(1).map(() => '---:')], ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
