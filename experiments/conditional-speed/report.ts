import { type ScatterGroup, scatterChart } from '../../charts/scatter-chart.ts';
import { median } from '../../src/index.ts';
import type { EngineTimes } from '../kit/compare-times.ts';
import { type Answer, atBudget, type Finding, type Outcome, type Report, type ReportTable } from '../kit/experiment.ts';
import { endsOf, isOver, PAYS } from '../kit/outcome.ts';
import {
  agrees,
  another,
  type Compared,
  geometric,
  type Interval,
  interval,
  judge,
  paired,
  verdict,
  withHalf,
} from '../kit/statistics.ts';
import { multiplyAddsOf, type Net, nameOfNet, ungated } from './nets.ts';
import type { SpeedDone, SpeedResult } from './trial.ts';

/** How many times faster a gated net is to be. */
const AIM = 3;

/** What E. Bengio et al. 2015 print of MNIST: test error in percent, and multiply-adds of an example as theirs are said to compare. */
const PUBLISHED: readonly {
  readonly is: (net: Net) => boolean;
  readonly label: string;
  readonly error: number;
  readonly work: number;
  /** What theirs is trained with and ours is not. */
  readonly missing?: string;
}[] = [
  { is: (net) => nameOfNet(net) === 'dense 32', label: 'dense 32', error: 2.8, work: 25_408 },
  { is: (net) => nameOfNet(net) === 'dense 256', label: 'dense 256', error: 1.9, work: 203_264 },
  {
    is: ({ widths, gates }) =>
      widths.length === 0 && gates?.units === 256 && gates.size === 16 && gates.rate === 1 / 16,
    label: '256/16, 1/16',
    error: 2.3,
    work: 25_408,
    missing: 'none of ours learns by REINFORCE with tanh experts and the penalties L_b, L_e and L_v, as theirs does',
  },
];
/** Points around a published error within which a repetition agrees: two standard errors on 10,000 images. */
const TOLERANCE = 0.3;
/** Of errors in percent, on a logarithmic axis. */
const TICKS = [0.1, 0.2, 0.5, 1, 1.5, 2, 3, 5, 10, 20, 50, 100];
/** Gates that were trained to open this many times their target are told of. */
const TOO_OPEN = 1.2;

type Final = NonNullable<SpeedResult['final']>;
type Way = 'one' | 'hundred' | 'step';

const WAYS: Readonly<Record<Way, string>> = {
  one: 'one example at a time',
  hundred: '100 examples at a time',
  step: 'training, a step',
};

interface Run extends Final {
  readonly seed: number;
  readonly validError: number;
  readonly learningRate: number;
}

/** A net with its finished runs. */
interface Runs {
  readonly name: string;
  readonly net: Net;
  readonly against: readonly Net[];
  readonly runs: readonly Run[];
}

const percentPoints = (x: number): string => (100 * x).toFixed(2);
const times = (x: number): string => x.toFixed(2);
const thousands = (x: number): string => (x / 1000).toFixed(0);

function runsOf(finished: readonly SpeedDone[]): Runs[] {
  const finals = finished.filter(({ trial }) => trial.stage === 'final');
  return [...Map.groupBy(finals, ({ trial }) => nameOfNet(trial.net))].map(([name, own]) => ({
    name,
    net: own[0].trial.net,
    against: own[0].trial.against,
    runs: own.flatMap(({ trial, result: { final, validError, learningRate } }) =>
      final ? [{ ...final, validError, learningRate, seed: trial.seed }] : [],
    ),
  }));
}

const level = ({ runs }: Runs, of: (run: Run) => number): Interval => interval(runs.map(of));
const testError = ({ testError: error }: Run): number => error;
const validError = ({ validError: error }: Run): number => error;
const workAtTest = ({ multiplyAdds }: Run): number => multiplyAdds.test;

/**
 * Test errors of a less those of b, seed by seed, each pair by its own variance: a net that trains badly deviates fifty times as much as a
 * dense one.
 */
function difference(a: Runs, b: Runs): Compared {
  const pairs = a.runs.flatMap((x) => b.runs.filter(({ seed }) => seed === x.seed).map((y) => [x, y] as const));
  return paired(
    pairs.map(([x]) => x.testError),
    pairs.map(([, y]) => y.testError),
  );
}

/** The cheapest dense net whose mean validation error is no higher; else the best one, which `reached` tells. */
function sameError(gated: Runs, dense: readonly Runs[]): { readonly dense: Runs; readonly reached: boolean } {
  const limit = level(gated, validError).mean;
  const byWork = dense.toSorted((a, b) => multiplyAddsOf(a.net, 784) - multiplyAddsOf(b.net, 784));
  const cheapest = byWork.find((own) => level(own, validError).mean <= limit);
  const [best] = byWork.toSorted((a, b) => level(a, validError).mean - level(b, validError).mean);
  return cheapest ? { dense: cheapest, reached: true } : { dense: best, reached: false };
}

/** The dense net whose multiply-adds are nearest to what the gated net executes, on a logarithmic scale. */
function sameCost(gated: Runs, dense: readonly Runs[]): Runs {
  const work = Math.log(level(gated, workAtTest).mean);
  const distance = ({ net }: Runs): number => Math.abs(Math.log(multiplyAddsOf(net, 784)) - work);
  return dense.toSorted((a, b) => distance(a) - distance(b))[0];
}

/** How many times the gated net's time a dense net takes: the geometric mean over seeds, as a logarithm. */
function speedUp(gated: Runs, dense: Net, engine: string, way: Way): Interval {
  const at = gated.against.findIndex((own) => nameOfNet(own) === nameOfNet(dense));
  return interval(
    gated.runs.flatMap(({ times: all = [] }) => {
      const own = all.find((candidate) => candidate.engine === engine);
      return own && at >= 0 ? [Math.log(own[way].times[at])] : [];
    }),
  );
}

const enginesOf = (nets: readonly Runs[]): string[] => [
  ...new Set(
    nets.flatMap(({ runs }) => runs.flatMap((run) => (run.times ?? []).map(({ engine }: EngineTimes) => engine))),
  ),
];

/** All nets, and their kinds. */
interface Part {
  /** Are the data those of published figures? */
  readonly onMnist: boolean;
  readonly nets: readonly Runs[];
  readonly gated: readonly Runs[];
  readonly dense: readonly Runs[];
}

/** A gated net beside the dense net of its error, and how many times faster it is. */
interface Candidate {
  readonly net: Runs;
  readonly dense: Runs;
  readonly reached: boolean;
  /** A logarithm. */
  readonly factor: Interval;
}

/** The fastest first. */
const candidatesOf = ({ gated, dense }: Part, engine: string, way: Way): Candidate[] =>
  gated
    .map((net) => ({ net, ...sameError(net, dense) }))
    .map((own) => ({ ...own, factor: speedUp(own.net, own.dense.net, engine, way) }))
    .filter(({ factor }) => factor.count > 0)
    .toSorted((a, b) => b.factor.mean - a.factor.mean);

/** Is it faster than the aim, at an error that the test does not show to be higher? */
function fasterAlike({ net, dense, factor }: Candidate, aim: number): Outcome {
  const outcome = isOver(endsOf(factor), Math.log(aim));
  const worse = verdict(difference(net, dense)) === 'worse';
  return outcome === 'holds' && worse ? 'not shown' : outcome;
}

/** A factor with its interval, of logarithms. */
const inTimes = (own: Interval): string => geometric(own, times);

const inWords = ({ net, dense, reached, factor }: Candidate): string =>
  `${net.name}, ${inTimes(factor)} times as fast as ${dense.name}${reached ? '' : ' (no dense net of the grid is as good on validation; this is the best)'}`;

/** The gated net with the greatest speed-up over the dense net of its error, and what is to be said of an aim. */
function finding(part: Part, engine: string, way: Way, aim: number): Finding {
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
function twinFinding({ gated, dense }: Part, engine: string, way: Way, aim: number): Finding {
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

/** The dense net whose time is nearest to the gated net's, one example at a time. */
function sameTime(gated: Runs, dense: readonly Runs[], engine: string): Runs {
  const distance = ({ net }: Runs): number => Math.abs(speedUp(gated, net, engine, 'one').mean);
  return dense.toSorted((a, b) => distance(a) - distance(b))[0];
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

/** The published net with gates: does the best of ours, by validation, err as little? */
function publishedFindings({ gated, onMnist }: Part): Finding[] {
  return PUBLISHED.flatMap(({ is, label, error, missing }) => {
    const ours = gated.filter(({ net }) => is(net));
    const [best] = ours.toSorted((a, b) => level(a, validError).mean - level(b, validError).mean);
    if (!best || !onMnist) return [];
    const [own, single] = [interval, another]
      .map((of) => of(best.runs.map(testError)))
      .map(({ mean, half, count }) => ({
        mean: 100 * mean,
        half: 100 * half,
        count,
      }));
    const reach = Number.isNaN(single.half)
      ? ''
      : ` One more run of ours would lie between ${times(single.mean - single.half)} and ${times(single.mean + single.half)}%, 95 times in 100${single.half > TOLERANCE ? ', which is wider than the tolerance' : ''}.`;
    const finding: Finding = {
      claim: `The gated net ${label} errs on ${error}% of the test as published, ±${TOLERANCE}`,
      outcome: agrees(single, error, TOLERANCE),
      evidence: `Ours, the best of ${ours.length} neurons on validation: ${best.name}, ${withHalf(own, times)}%, ${own.count} seeds.${reach} Theirs has a learnt policy that opens more than its target (18% for 1/16); ours is cut to the target.`,
    };
    // What is trained otherwise is no test of a figure, even where an interval is too wide to say so.
    const open = missing !== undefined && finding.outcome === 'not shown';
    return [atBudget(open ? { ...finding, outcome: 'refuted' } : finding, missing)];
  });
}

const costFindings = (part: Part, engine: string | undefined): Finding[] => [
  costFinding(part, 'multiply-adds', (net) => sameCost(net, part.dense)),
  ...(engine === undefined
    ? []
    : [costFinding(part, `measured time (one example, ${engine})`, (net) => sameTime(net, part.dense, engine))]),
];

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

/** One group of dense nets, and one a neuron of the gated ones. */
function groupsOf(nets: readonly Runs[], x: (own: Runs) => number): ScatterGroup[] {
  const groups = Map.groupBy(nets, ({ net }) => net.gates?.neuron ?? 'dense');
  return [...groups].map(([name, own]) => ({
    name,
    ...(name === 'dense' && { joined: true as const }),
    points: own
      .map((item) => {
        const { mean, half } = level(item, testError);
        const { widths, gates } = item.net;
        const label = gates
          ? `${[...widths, gates.units].join('-')}/${gates.size}, 1/${Math.round(1 / gates.rate)}`
          : widths.join('-');
        return { x: x(item), y: 100 * mean, half: Number.isNaN(half) ? 0 : 100 * half, label };
      })
      .filter((point) => point.x > 0),
  }));
}

/** Time in units of one dense net's, which every gated net has been timed beside. */
function timesOf(gated: readonly Runs[], reference: Net, engine: string, way: Way) {
  // 0 where nothing was timed: the chart leaves such points out.
  const medianOf = (values: readonly number[]): number => (values.length > 0 ? median(values) : 0);
  return ({ net, runs }: Runs): number => {
    if (net.gates) {
      const at = gated[0].against.findIndex((own) => nameOfNet(own) === nameOfNet(reference));
      return medianOf(
        runs.flatMap(({ times: all = [] }) =>
          all.filter((own) => own.engine === engine).map((own) => 1 / own[way].times[at]),
        ),
      );
    }
    return medianOf(
      gated.flatMap(({ against, runs: own }) => {
        const [mine, theirs] = [net, reference].map((wanted) =>
          against.findIndex((known) => nameOfNet(known) === nameOfNet(wanted)),
        );
        return own.flatMap(({ times: all = [] }) =>
          all
            .filter((candidate) => candidate.engine === engine)
            .map((candidate) => candidate[way].times[mine] / candidate[way].times[theirs]),
        );
      }),
    );
  };
}

function chartsOf({ nets, gated, dense, onMnist }: Part, engine: string): string[] {
  const errors = nets.map((own) => 100 * level(own, testError).mean);
  const yTicks = TICKS.filter(
    (tick, i) => (TICKS[i + 1] ?? tick) > Math.min(...errors) && (TICKS[i - 1] ?? 0) < Math.max(...errors),
  );
  const yLabel = 'errors on the test, %, mean and 95% interval over seeds';
  const work = scatterChart({
    title: `Error against multiply-adds of one example`,
    xLabel: 'multiply-adds, the gater’s included',
    yLabel,
    groups: [
      ...groupsOf(nets, (own) => level(own, workAtTest).mean),
      ...(onMnist
        ? [{ name: 'published, 2015', points: PUBLISHED.map(({ label, error, work: x }) => ({ x, y: error, label })) }]
        : []),
    ],
    xTicks: [1e4, 1e5, 1e6].map((at) => ({ at, text: `${at / 1000} thousand` })),
    yTicks,
  });
  const reference = dense[dense.length >> 1].net;
  const byTime = (Object.keys(WAYS) as Way[]).map((way) =>
    scatterChart({
      title: `Error against measured time: ${WAYS[way]}, ${engine}`,
      xLabel: `time, in units of ${nameOfNet(reference)}`,
      yLabel,
      groups: groupsOf(nets, timesOf(gated, reference, engine, way)),
      xTicks: [0.1, 0.3, 1, 3, 10].map((at) => ({ at, text: String(at) })),
      yTicks,
    }),
  );
  const [one, ...others] = byTime;
  return [one, work, ...others];
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
      'A task on which larger dense nets keep erring less, so that there is work for gates to skip. Whether text is one is what conditional-text asks.',
  };
}

function partOf(finished: readonly SpeedDone[]): Part {
  const nets = runsOf(finished);
  return {
    onMnist: finished.every(({ trial }) => trial.data === 'mnist'),
    nets,
    gated: nets.filter(({ net }) => net.gates),
    dense: nets.filter(({ net }) => !net.gates),
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
