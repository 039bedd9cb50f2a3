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
import { gatesName, nameOfNet, shapeOfNet, type TextNet } from './nets.ts';
import type { TextDone } from './trial.ts';

/** Bits that the dense ladder has to gain with a doubling, so that the comparison says anything. */
const SLOPE = 0.05;

interface Run extends NetFinal {
  readonly seed: number;
  readonly learningRate: number;
  /** Of training, in time of the processor. */
  readonly seconds: number;
}

/** The runs of a net at a budget. */
interface Runs {
  readonly net: TextNet;
  readonly name: string;
  readonly examples: number;
  readonly against: readonly TextNet[];
  readonly runs: readonly Run[];
}

const bits = (nats: number): number => nats / Math.LN2;
const three = (x: number): string => x.toFixed(3);
const two = (x: number): string => (Number.isFinite(x) ? x.toFixed(2) : 'more than any');
const thousands = (x: number): string => (x / 1000).toFixed(0);

function runsOf(finished: readonly TextDone[]): Runs[] {
  const finals = finished.filter(({ trial }) => trial.stage === 'final');
  return [...Map.groupBy(finals, ({ trial }) => `${nameOfNet(trial.net)} ${trial.examples}`).values()].map((own) => ({
    net: own[0].trial.net,
    name: nameOfNet(own[0].trial.net),
    examples: own[0].trial.examples,
    against: own[0].trial.against,
    runs: own.flatMap(({ trial, result: { final, learningRate, curve } }) =>
      final ? [{ ...final, learningRate, seed: trial.seed, seconds: curve[curve.length - 1].seconds }] : [],
    ),
  }));
}

/** What a comparison is about: prices of runs, or how many times a gated run's time a dense net takes. */
interface Measure {
  readonly name: string;
  /** The ratio that is hoped for: must, and aim. */
  readonly must: number;
  readonly aim: number;
  /** How many times the price of the gated net the dense frontier asks for its loss. */
  ratio(
    gated: Runs,
    dense: readonly Runs[],
    drawn: { gated: readonly Run[]; dense: readonly (readonly Run[])[] },
  ): number;
}

const lossOf = (runs: readonly Run[]): number => bits(mean(runs.map(({ testNats }) => testNats)));

/** Between runs of dense and gated nets. */
const byPrice =
  (price: (run: Run) => number, all: boolean): Measure['ratio'] =>
  (gated, dense, drawn) => {
    const points = dense.flatMap((own, i): Point[] =>
      all || own.examples === gated.examples
        ? [{ price: mean(drawn.dense[i].map(price)), loss: lossOf(drawn.dense[i]) }]
        : [],
    );
    return priceOf(frontierOf(points), lossOf(drawn.gated)) / mean(drawn.gated.map(price));
  };

/** Timed beside each other in the gated net's own trials: on the fastest engine of each. */
const byTime =
  (way: 'one' | 'hundred'): Measure['ratio'] =>
  (gated, dense, drawn) => {
    const points = dense.flatMap((own, i): Point[] => {
      const at = gated.against.findIndex((net) => nameOfNet(net) === own.name);
      if (at < 0 || own.examples !== gated.examples) return [];
      const prices = drawn.gated.map(({ times = [] }) => timesAsLong(times, way, at));
      return [{ price: mean(prices), loss: lossOf(drawn.dense[i]) }];
    });
    return priceOf(frontierOf(points), lossOf(drawn.gated));
  };

const MEASURES: readonly Measure[] = [
  { name: 'multiply-adds, inference', must: 3, aim: 6, ratio: byPrice(({ multiplyAdds }) => multiplyAdds.test, false) },
  { name: 'seconds, inference, one row', must: 3, aim: 6, ratio: byTime('one') },
  { name: 'seconds, inference, 128 rows', must: 2, aim: 4, ratio: byTime('hundred') },
  { name: 'seconds of training to that loss', must: 1.5, aim: 3, ratio: byPrice(({ seconds }) => seconds, true) },
];

/** A gated net at the largest budget beside the dense frontier. */
interface Compared {
  readonly gated: Runs;
  /** Per measure, p corrected over the gated nets. */
  readonly factors: readonly Bootstrapped[];
}

function compareAll(gated: readonly Runs[], dense: readonly Runs[]): Compared[] {
  const factors = gated.map((net) =>
    MEASURES.map(({ ratio }) =>
      bootstrap<Run>(
        [net.runs, ...dense.map(({ runs }) => runs)],
        ([own, ...others]) => ratio(net, dense, { gated: own, dense: others }),
        1,
      ),
    ),
  );
  return correctedOver(factors).map((own, g) => ({ gated: gated[g], factors: own }));
}

const shown = ({ value, low, high }: Bootstrapped): string => `${two(value)} (${two(low)} to ${two(high)})`;

function findingOf(
  measure: Measure,
  at: number,
  compared: readonly Compared[],
  slopeOf: (own: Runs) => number,
): Finding {
  const claim = `A gated net costs less than the dense frontier asks for its loss: ${measure.name}`;
  const best = bestBy(compared, at);
  if (!best) return { claim, outcome: 'not tested', evidence: 'No gated net has a figure for it.' };
  const factor = best.factors[at];
  const slope = slopeOf(best.gated);
  const target =
    factor.low >= measure.aim ? 'the aim' : factor.low >= measure.must ? 'the target' : 'less than the target';
  return {
    claim,
    outcome: ratioOutcome(factor, best.gated.runs.length, slope >= SLOPE),
    evidence: `Best of ${compared.length}: ${best.gated.name}, ${shown(factor)} times, 95% of resamples over seeds; ${target} (${measure.must}, aim ${measure.aim})${briefP(factor)} (Holm). The dense ladder gains ${three(slope)} bits a doubling there (needed: ${SLOPE}).`,
  };
}

/** Learning against sparsity alone, at the same shape. */
function controlsOf(gated: readonly Runs[]): Finding {
  const pairs = controlPairs<Run, Runs>(gated, {
    shapeOf: ({ net }) => shapeOfNet(net),
    gatesOf: ({ net }) => gatesName(net),
    isControl: ({ net: { gates } }) => isControl(gates?.neuron),
  });
  const claim = 'Gates that learn are better than gates of the same density that do not';
  return controlFinding(claim, pairs, lossOf, 'Bits a byte');
}

/** The verdict in a sentence: what gates save in multiply-adds, and what of it the clock shows. */
function answerOf(compared: readonly Compared[], findings: readonly Finding[]): Answer | undefined {
  const said = (at: number): string | undefined => {
    const best = bestBy(compared, at);
    return best && shown(best.factors[at]);
  };
  const [work, one, step] = [said(0), said(1), said(3)];
  if (work === undefined || one === undefined || step === undefined) return undefined;
  const [inWork, inTime, inTraining] = [0, 1, 3].map((at) => PAYS[findings[at].outcome]);
  return {
    verdict: `In multiply-adds gates ${inWork}: for its loss the best gated net takes ${work} times fewer than dense nets need. For one byte, on the clock, they ${inTime}: the fastest is ${one} times as fast. In training they ${inTraining}: the quickest is ${step} times as fast to that loss.`,
    change:
      'Products of open blocks that are as fast, multiply-add for multiply-add, as those of a dense net, and a longer training, in which wide nets gain more.',
  };
}

function table(all: readonly Runs[]): ReportTable {
  const level = ({ runs }: Runs, of: (run: Run) => number, text: (x: number) => string) =>
    withHalf(interval(runs.map(of)), text);
  return {
    title: 'Held-out bits a byte, means over seeds with 95% intervals, and what they cost',
    head: [
      'net',
      'examples, thousands',
      'seeds',
      'rate',
      'bits',
      'error, %',
      'multiply-adds at test, thousands',
      'in training',
      'seconds of training',
      'open, %',
      'dead and always on',
    ],
    rows: all.map((own) => [
      own.name,
      thousands(own.examples),
      String(own.runs.length),
      String(own.runs[0].learningRate),
      level(own, ({ testNats }) => bits(testNats), three),
      level(own, ({ testError }) => 100 * testError, two),
      thousands(mean(own.runs.map(({ multiplyAdds }) => multiplyAdds.test))),
      thousands(mean(own.runs.map(({ multiplyAdds }) => multiplyAdds.training))),
      level(
        own,
        ({ seconds }) => seconds,
        (x) => x.toFixed(0),
      ),
      own.net.gates ? (100 * mean(own.runs.map(({ open }) => open))).toFixed(2) : '',
      own.net.gates ? own.runs.map(({ dead, alwaysOn }) => dead + alwaysOn).join(', ') : '',
    ]),
  };
}

function factors(compared: readonly Compared[]): ReportTable {
  return {
    title:
      'How many times the gated net’s price the dense frontier asks for the same loss, with 95% of resamples over seeds',
    head: ['gated net', ...MEASURES.map(({ name, must, aim }) => `${name} (must ${must}, aim ${aim})`)],
    rows: compared.map((own) => [own.gated.name, ...own.factors.map(shown)]),
  };
}

function chart(title: string, xLabel: string, all: readonly Runs[], x: (run: Run) => number): string {
  const groups = Map.groupBy(all, ({ net: { gates } }) => gates?.neuron.split(':')[0] ?? 'dense');
  const points = [...groups].map(
    ([name, own]): ScatterGroup => ({
      name,
      ...(name === 'dense' && { joined: true as const }),
      points: own
        .map((runs) => {
          const { mean: y, half } = interval(runs.runs.map(({ testNats }) => bits(testNats)));
          const { widths, gates } = runs.net;
          const beside = widths.length > 0 ? `${widths.join('-')} + ` : '';
          const label = gates ? `${beside}${gates.units}, 1/${Math.round(1 / gates.rate)}` : widths.join('-');
          return { x: mean(runs.runs.map(x)), y, half: Number.isNaN(half) ? 0 : half, label };
        })
        .toSorted((a, b) => a.x - b.x),
    }),
  );
  const xs = points.flatMap(({ points: own }) => own.map((point) => point.x));
  const ys = points.flatMap(({ points: own }) => own.map((point) => point.y));
  const [low, high] = [Math.floor(10 * Math.min(...ys)) / 10, Math.ceil(10 * Math.max(...ys)) / 10];
  const ticks = Array.from({ length: 6 }, (_, i) => Number((low + (i * (high - low)) / 5).toFixed(2)));
  const decades = [1, 2, 5].flatMap((digit) => Array.from({ length: 12 }, (_, i) => digit * 10 ** (i - 2)));
  return scatterChart({
    ...{ title, xLabel, yLabel: 'held-out bits a byte', groups: points, yTicks: ticks },
    xTicks: decades
      .filter((at) => at >= Math.min(...xs) / 1.5 && at <= 1.5 * Math.max(...xs))
      .toSorted((a, b) => a - b)
      .map((at) => ({ at, text: at >= 1000 ? `${at / 1000} thousand` : String(at) })),
  });
}

/** What the finished trials say, in tables, findings and pictures. */
export function reportConditionalText(finished: readonly TextDone[]): Report {
  const all = runsOf(finished);
  const most = Math.max(0, ...all.map(({ examples }) => examples));
  const dense = all.filter(({ net }) => !net.gates);
  const gated = all.filter(({ net, examples }) => net.gates && examples === most);
  if (gated.length === 0 || dense.length === 0) return { findings: [], learnt: [], tables: [], charts: [] };
  const compared = compareAll(
    gated.filter(({ net }) => !isControl(net.gates?.neuron)),
    dense,
  );
  const ladder = frontierOf(
    dense
      .filter(({ examples }) => examples === most)
      .map(({ runs }) => ({ price: mean(runs.map(({ multiplyAdds }) => multiplyAdds.test)), loss: lossOf(runs) })),
  );
  const slopeOf = (own: Runs): number =>
    gainOfDoubling(ladder, mean(own.runs.map(({ multiplyAdds }) => multiplyAdds.test)));
  const findings = MEASURES.map((measure, at) => findingOf(measure, at, compared, slopeOf));
  const answer = answerOf(compared, findings);
  const last = all.filter(({ examples }) => examples === most);
  return {
    ...(answer && { answer }),
    findings: [...findings, controlsOf(gated)],
    learnt: [
      `The dense ladder in bits a byte, by multiply-adds: ${ladder.map(({ price, loss }) => `${thousands(price)} thousand: ${three(loss)}`).join(', ')}.`,
    ],
    tables: [table(all), factors(compared)],
    charts: [
      chart('Bits a byte against seconds of training', 'seconds of the processor', all, ({ seconds }) => seconds),
      chart(
        'Bits a byte against multiply-adds of one example',
        'multiply-adds at test',
        last,
        ({ multiplyAdds }) => multiplyAdds.test,
      ),
    ],
  };
}
