/** What experiments share that hold gated nets against the frontier of dense ones, and against gates that learn nothing. */
import type { Model } from '../../src/index.ts';
import { type Bootstrapped, bootstrap, holm } from './bootstrap.ts';
import type { EngineTimes } from './compare-times.ts';
import type { Finding, Outcome } from './experiment.ts';
import { isOver } from './outcome.ts';
import { briefP } from './statistics.ts';

/** What a final trial tells of its net, dense or gated. */
export interface NetFinal {
  /** Nats an example. */
  readonly testNats: number;
  /** A share. */
  readonly testError: number;
  /** For one example, at test and in the forward pass of training. */
  readonly multiplyAdds: { readonly test: number; readonly training: number };
  /** Share of open gates in the last epoch, as sampled. */
  readonly open: number;
  /** Gates that never or always opened in the last epoch, of all. */
  readonly dead: number;
  readonly alwaysOn: number;
  readonly times?: readonly EngineTimes[];
}

/** Gates of a model that never or always opened in the last epoch. */
export function fatesOf({ stochasticSites }: Model): Pick<NetFinal, 'dead' | 'alwaysOn'> {
  const all = stochasticSites.map(({ health }) => health);
  return {
    dead: all.reduce((sum, { dead }) => sum + dead, 0),
    alwaysOn: all.reduce((sum, { alwaysOn }) => sum + alwaysOn, 0),
  };
}

/** How many times as long as the gated net the dense net of index `at` takes, each on its fastest engine; NaN where nothing was timed. */
export function timesAsLong(times: readonly EngineTimes[], way: 'one' | 'hundred', at: number): number {
  if (times.length === 0) return Number.NaN;
  const fastest = (of: (own: EngineTimes) => number): number => Math.min(...times.map(of));
  return fastest((own) => own[way].dense[at]) / fastest((own) => own[way].gated);
}

/** The ratios of several nets, measure by measure, with p corrected over the nets. */
export function correctedOver(nets: readonly (readonly Bootstrapped[])[]): Bootstrapped[][] {
  const measures = nets[0]?.map((_, at) => holm(nets.map((own) => own[at].p))) ?? [];
  return nets.map((own, net) => own.map((ratio, at) => ({ ...ratio, p: measures[at][net] })));
}

/** The net whose ratio of one measure is greatest, of those that have one. */
export const bestBy = <T extends { readonly factors: readonly Bootstrapped[] }>(
  compared: readonly T[],
  at: number,
): T | undefined =>
  compared
    .filter(({ factors }) => !Number.isNaN(factors[at].value))
    .toSorted((a, b) => b.factors[at].value - a.factors[at].value)[0];

/** Is a figure over a bound, by its interval, and its corrected p where it is? One seed shows nothing. */
function overBy(figure: Bootstrapped, bound: number, seeds: number): Outcome {
  if (seeds < 2) return 'not shown';
  const outcome = isOver(figure, bound);
  return outcome === 'holds' && !(figure.p < 0.05) ? 'not shown' : outcome;
}

/**
 * Does the dense frontier ask more than the gated net's price for its loss? Not tested where the ladder is too flat for a loss to say what it
 * costs; one seed shows nothing.
 */
export function ratioOutcome(ratio: Bootstrapped, seeds: number, isSteep: boolean): Outcome {
  return isSteep ? overBy(ratio, 1, seeds) : 'not tested';
}

/** Gates that learn beside a control in a net of the same shape, by their runs. */
export interface ControlPair<R> {
  /** Of both nets, everything but what their gates are. */
  readonly shape: string;
  /** What the gates are. */
  readonly gates: string;
  readonly control: string;
  readonly runs: readonly R[];
  readonly controlRuns: readonly R[];
}

/** How the gated nets of an experiment are told apart. */
interface GatedNets<N> {
  readonly shapeOf: (net: N) => string;
  readonly gatesOf: (net: N) => string;
  readonly isControl: (net: N) => boolean;
}

/** Every control beside all gates that learn in a net of its shape. */
export function controlPairs<R, N extends { readonly runs: readonly R[] }>(
  nets: readonly N[],
  { shapeOf, gatesOf, isControl }: GatedNets<N>,
): ControlPair<R>[] {
  return nets.filter(isControl).flatMap((control) =>
    nets
      .filter((own) => !isControl(own) && shapeOf(own) === shapeOf(control))
      .map((own) => ({
        ...{ shape: shapeOf(own), gates: gatesOf(own), control: gatesOf(control) },
        ...{ runs: own.runs, controlRuns: control.runs },
      })),
  );
}

/** Are learnt gates better than each control? Of each control one pair has to show it. @param unit of the losses */
export function controlFinding<R>(
  claim: string,
  pairs: readonly ControlPair<R>[],
  lossOf: (runs: readonly R[]) => number,
  unit: string,
): Finding {
  if (pairs.length === 0) return { claim, outcome: 'not shown', evidence: 'No control has finished.' };
  const gaps = correctedOver(
    pairs.map(({ runs, controlRuns }) => [
      bootstrap<R>([controlRuns, runs], ([control, own]) => lossOf(control) - lossOf(own), 0),
    ]),
  ).map(([gap], i) => ({ ...pairs[i], gap, seeds: Math.min(pairs[i].runs.length, pairs[i].controlRuns.length) }));
  const outcomes = [...Map.groupBy(gaps, ({ control }) => control).values()].map((own): Outcome => {
    const all = own.map(({ gap, seeds }) => overBy(gap, 0, seeds));
    if (all.includes('holds')) return 'holds';
    return all.every((one) => one === 'refuted') ? 'refuted' : 'not shown';
  });
  const worst = (['refuted', 'not shown'] as const).find((one) => outcomes.includes(one)) ?? 'holds';
  const told = ({ gates, control, gap }: (typeof gaps)[number]): string =>
    `${gates} against ${control} ${gap.value.toFixed(3)} (${gap.low.toFixed(3)} to ${gap.high.toFixed(3)})${briefP(gap)}`;
  const texts = [...Map.groupBy(gaps, ({ shape }) => shape)].map(
    ([shape, own]) => `${shape}: ${own.map(told).join('; ')}`,
  );
  return {
    claim,
    outcome: worst,
    evidence: `${unit} that the control is worse by, with 95% of resamples over seeds. ${texts.join('. ')}.`,
  };
}
