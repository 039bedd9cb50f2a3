import { type ScatterGroup, scatterChart } from '../../charts/scatter-chart.ts';
import {
  bestBy,
  controlFinding,
  controlPairs,
  correctedOver,
  type NetFinal,
  ratioOutcome,
  timesAsLong,
} from '../kit/against-frontier.ts';
import { type Bootstrapped, bootstrap } from '../kit/bootstrap.ts';
import { isControl } from '../kit/control-gates.ts';
import type { Answer, Finding, Report, ReportTable } from '../kit/experiment.ts';
import { frontierOf, gainOfDoubling, type Point, priceOf } from '../kit/frontier.ts';
import { PAYS } from '../kit/outcome.ts';
import { briefP, interval, mean, withHalf } from '../kit/statistics.ts';
import { gatesName, type ImageNet, nameOfNet, shapeOfNet } from './nets.ts';
import type { ImageDone } from './trial.ts';

/** The share of its loss that the dense ladder has to lose with a doubling, so that the comparison says anything. */
const SLOPE = 0.05;

interface Run extends NetFinal {
  readonly learningRate: number;
  readonly seconds: number;
  /** Dense nets that it was timed beside. */
  readonly against: readonly ImageNet[];
}

/** The runs of a net at a budget. */
interface Runs {
  readonly net: ImageNet;
  readonly name: string;
  readonly budget: string;
  readonly runs: readonly Run[];
}

const three = (x: number): string => x.toFixed(3);
const two = (x: number): string => (Number.isFinite(x) ? x.toFixed(2) : 'more than any');
const thousands = (x: number): string => (x / 1000).toFixed(0);
const lossOf = (runs: readonly Run[]): number => mean(runs.map(({ testNats }) => testNats));

function runsOf(finished: readonly ImageDone[]): Runs[] {
  const finals = finished.filter(({ trial }) => trial.stage === 'final');
  const budgetOf = ({ trial: { data, examples } }: ImageDone) => `${thousands(examples)} thousand of ${data}`;
  const groups = Map.groupBy(finals, (done) => `${nameOfNet(done.trial.net)}, ${budgetOf(done)}`);
  return [...groups.values()].map((own) => ({
    net: own[0].trial.net,
    name: nameOfNet(own[0].trial.net),
    budget: budgetOf(own[0]),
    runs: own.flatMap(({ trial: { against }, result: { final, learningRate, seconds } }) =>
      final ? [{ ...final, learningRate, seconds, against }] : [],
    ),
  }));
}

/** How many times the price of the gated net the dense frontier asks for its loss. */
type Ratio = (gated: Runs, dense: readonly Runs[], drawn: readonly (readonly Run[])[]) => number;

/** Between runs of dense and gated nets; the first of what was drawn are the gated net's. */
const byPrice =
  (price: (run: Run) => number): Ratio =>
  (_gated, _dense, [own, ...others]) => {
    const points = others.map((runs): Point => ({ price: mean(runs.map(price)), loss: lossOf(runs) }));
    return priceOf(frontierOf(points), lossOf(own)) / mean(own.map(price));
  };

/** Timed beside each other in the gated net's own trials: on the fastest engine of each. */
const byTime =
  (way: 'one' | 'hundred'): Ratio =>
  ({ runs }, dense, [own, ...others]) => {
    const points = dense.flatMap(({ name }, i): Point[] => {
      const timed = runs.filter(({ times }) => times !== undefined);
      if (timed.length === 0) return [];
      const prices = timed.map(({ times = [], against }) =>
        timesAsLong(
          times,
          way,
          against.findIndex((net) => nameOfNet(net) === name),
        ),
      );
      return [{ price: mean(prices), loss: lossOf(others[i]) }];
    });
    return priceOf(frontierOf(points), lossOf(own));
  };

const MEASURES: readonly { readonly name: string; readonly ratio: Ratio }[] = [
  { name: 'multiply-adds, inference', ratio: byPrice(({ multiplyAdds }) => multiplyAdds.test) },
  { name: 'seconds, inference, one picture', ratio: byTime('one') },
  { name: 'seconds, inference, 64 pictures', ratio: byTime('hundred') },
  { name: 'seconds of training', ratio: byPrice(({ seconds }) => seconds) },
];

/** A gated net beside the dense frontier of its budget. */
interface Compared {
  readonly gated: Runs;
  /** Per measure, p corrected over the gated nets. */
  readonly factors: readonly Bootstrapped[];
  /** What a doubling of the dense nets' cost takes off their loss, as a share of the gated net's. */
  readonly slope: number;
}

const workOf = (runs: readonly Run[]): number => mean(runs.map(({ multiplyAdds }) => multiplyAdds.test));

function compareAll(all: readonly Runs[]): Compared[] {
  const compared = all
    .filter(({ net }) => net.gates && !isControl(net.gates.neuron))
    .flatMap((gated): Compared[] => {
      const dense = all.filter(({ net, budget }) => !net.gates && budget === gated.budget);
      if (dense.length === 0) return [];
      const groups = [gated.runs, ...dense.map(({ runs }) => runs)];
      const ladder = frontierOf(dense.map(({ runs }) => ({ price: workOf(runs), loss: lossOf(runs) })));
      return [
        {
          gated,
          factors: MEASURES.map(({ ratio }) => bootstrap<Run>(groups, (drawn) => ratio(gated, dense, drawn), 1)),
          slope: gainOfDoubling(ladder, workOf(gated.runs)) / lossOf(gated.runs),
        },
      ];
    });
  const corrected = correctedOver(compared.map(({ factors }) => factors));
  return compared.map((own, g) => ({ ...own, factors: corrected[g] }));
}

const shown = ({ value, low, high }: Bootstrapped): string => `${two(value)} (${two(low)} to ${two(high)})`;

/** The best of the gated nets in one measure. */
function findingOf(at: number, compared: readonly Compared[]): Finding {
  const { name } = MEASURES[at];
  const claim = `A gated net costs less than the dense frontier asks for its loss: ${name}`;
  const best = bestBy(compared, at);
  if (!best) return { claim, outcome: 'not tested', evidence: 'No gated net has a figure for it.' };
  const { gated, factors, slope } = best;
  return {
    claim,
    outcome: ratioOutcome(factors[at], gated.runs.length, slope >= SLOPE),
    evidence: `Best of ${compared.length}: ${gated.name}, ${gated.budget}, ${shown(factors[at])} times, 95% of resamples over seeds${briefP(factors[at])} (Holm). The dense ladder lowers the loss by ${(100 * slope).toFixed(0)}% a doubling there (needed: ${100 * SLOPE}%).`,
  };
}

/** Learning against sparsity alone, at the same shape and rate. */
function controlsOf(all: readonly Runs[]): Finding {
  const pairs = controlPairs<Run, Runs>(
    all.filter(({ net }) => net.gates),
    {
      shapeOf: ({ net, budget }) => `${shapeOfNet(net)}, ${budget}`,
      gatesOf: ({ net }) => gatesName(net),
      isControl: ({ net: { gates } }) => isControl(gates?.neuron),
    },
  );
  const claim = 'Gates that learn are better than gates that open at random at the same rate';
  return controlFinding(claim, pairs, lossOf, 'Nats a picture');
}

function answerOf(compared: readonly Compared[], findings: readonly Finding[]): Answer | undefined {
  const [work, time] = [bestBy(compared, 0), bestBy(compared, 1)];
  if (!work || !time) return undefined;
  const [inWork, inTime] = findings.map(({ outcome }) => PAYS[outcome]);
  return {
    verdict: `In multiply-adds gates ${inWork}: for its loss the best gated net takes ${shown(work.factors[0])} times fewer than dense nets need. On the clock, a picture at a time, they ${inTime}: the fastest is ${shown(time.factors[1])} times as fast.`,
    change: 'Larger nets, more examples, and pictures on which larger dense nets keep erring less.',
  };
}

function table(all: readonly Runs[]): ReportTable {
  const level = ({ runs }: Runs, of: (run: Run) => number, text: (x: number) => string) =>
    withHalf(interval(runs.map(of)), text);
  return {
    title: 'Loss and error on held-out pictures, means over seeds with 95% intervals, and what they cost',
    head: [
      ...['net', 'trained on', 'seeds', 'rate', 'nats', 'error, %', 'multiply-adds at test, thousands'],
      ...['in training', 'seconds of training', 'open, %', 'dead and always on'],
    ],
    rows: all.map((own) => [
      own.name,
      own.budget,
      String(own.runs.length),
      String(own.runs[0].learningRate),
      level(own, ({ testNats }) => testNats, three),
      level(own, ({ testError }) => 100 * testError, two),
      thousands(workOf(own.runs)),
      thousands(mean(own.runs.map(({ multiplyAdds }) => multiplyAdds.training))),
      level(
        own,
        ({ seconds }) => seconds,
        (x) => x.toFixed(1),
      ),
      own.net.gates ? (100 * mean(own.runs.map(({ open }) => open))).toFixed(1) : '',
      own.net.gates ? own.runs.map(({ dead, alwaysOn }) => dead + alwaysOn).join(', ') : '',
    ]),
  };
}

const factorsTable = (compared: readonly Compared[]): ReportTable => ({
  title:
    'How many times the gated net’s price the dense frontier asks for the same loss, with 95% of resamples over seeds',
  head: ['gated net', 'trained on', ...MEASURES.map(({ name }) => name)],
  rows: compared.map(({ gated, factors }) => [gated.name, gated.budget, ...factors.map(shown)]),
});

function chart(budget: string, all: readonly Runs[]): string {
  const groups = Map.groupBy(all, ({ net: { gates } }) => (gates ? `${gates.of}, ${gates.neuron}` : 'dense'));
  const drawn = [...groups].map(
    ([name, own]): ScatterGroup => ({
      name,
      ...(name === 'dense' && { joined: true as const }),
      points: own
        .map(({ net, runs }) => {
          const { mean: y, half } = interval(runs.map(({ testError }) => 100 * testError));
          const label = `${net.depth} × ${net.channels}`;
          return { x: workOf(runs) / 1000, y, half: Number.isNaN(half) ? 0 : half, label };
        })
        .toSorted((a, b) => a.x - b.x),
    }),
  );
  const points = drawn.flatMap(({ points: own }) => own);
  const ticks = [1, 2, 5].flatMap((digit) => Array.from({ length: 8 }, (_, i) => digit * 10 ** (i - 1)));
  const around = (values: readonly number[]) =>
    ticks.filter((at) => at >= Math.min(...values) / 2 && at <= 2 * Math.max(...values)).toSorted((a, b) => a - b);
  return scatterChart({
    title: `Error against multiply-adds, ${budget}`,
    xLabel: 'thousand multiply-adds of one picture at test',
    yLabel: 'error, % of held-out pictures',
    groups: drawn,
    xTicks: around(points.map(({ x }) => x)).map((at) => ({ at, text: String(at) })),
    yTicks: around(points.map(({ y }) => Math.max(0.1, y))),
  });
}

/** What the finished trials say, in tables, findings and pictures. */
export function reportConditionalImages(finished: readonly ImageDone[]): Report {
  const all = runsOf(finished).filter(({ runs }) => runs.length > 0);
  const compared = compareAll(all);
  if (compared.length === 0) return { findings: [], learnt: [], tables: [], charts: [] };
  const budgets = [...new Set(all.map(({ budget }) => budget))];
  const ladders = budgets.map((budget) => {
    const own = all.filter(({ net, budget: at }) => !net.gates && at === budget);
    const rungs = own.map(({ runs }) => `${thousands(workOf(runs))} thousand: ${three(lossOf(runs))}`);
    return `The dense ladder in nats a picture, by multiply-adds, ${budget}: ${rungs.join(', ')}.`;
  });
  const findings = [...MEASURES.map((_, at) => findingOf(at, compared)), controlsOf(all)];
  const answer = answerOf(compared, findings);
  return {
    ...(answer && { answer }),
    findings,
    learnt: ladders,
    tables: [table(all), factorsTable(compared)],
    charts: budgets.map((budget) =>
      chart(
        budget,
        all.filter((own) => own.budget === budget),
      ),
    ),
  };
}
