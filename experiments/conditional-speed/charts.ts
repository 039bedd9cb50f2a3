import { type ScatterGroup, scatterChart } from '../../charts/scatter-chart.ts';
import { median } from '../../src/index.ts';
import { level, type Part, type Runs, testError, workAtTest } from './net-runs.ts';
import { type Net, nameOfNet } from './nets.ts';
import { PUBLISHED } from './published.ts';
import { WAYS, type Way } from './speed-up.ts';

/** Of errors in percent, on a logarithmic axis. */
const TICKS = [0.1, 0.2, 0.5, 1, 1.5, 2, 3, 5, 10, 20, 50, 100];

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

export function chartsOf({ nets, gated, dense, onMnist }: Part, engine: string): string[] {
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
