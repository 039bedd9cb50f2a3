import { INK } from '../charts/figure.ts';
import { drawPanels, type Panel, type PanelCurve } from '../charts/panels.ts';
import {
  epochCharts,
  type MetricsLine,
  type Reading,
  type RunRecord,
  type SiteHealth,
  type TaskEpochEvent,
} from '../src/index.ts';

const COLOURS = { train: INK.blue, valid: INK.vermilion, dead: INK.grey, most: INK.sky };
const PARTS = { train: 'training', valid: 'validation' };

/** What the task tells, and how often the units of every site fired, epoch by epoch. */
export function curvesChart(lines: readonly MetricsLine[], { config, seed, data }: RunRecord, task: Reading): string {
  const epochs = lines.filter((line): line is MetricsLine & TaskEpochEvent => line.event === 'epoch');
  const ofSite = (site: string, name: string, colour: string, value: (health: SiteHealth) => number): PanelCurve =>
    curveOfSite(epochs, site, name, colour, value);
  const charts = epochCharts(task).map(({ title, unit, lines: told }): [string, PanelCurve[]] => [
    unit === '' || title.includes(unit) ? title : `${title}, ${unit}`,
    told.map(({ part, of }) => ({
      name: PARTS[part],
      colour: COLOURS[part],
      points: epochs.flatMap((epoch) => {
        const y = of(epoch);
        return y === undefined ? [] : [{ x: epoch.epoch, y }];
      }),
    })),
  ]);
  return panelsOf(`${data.name}, ${config.neuron ?? ''}, seed ${seed}`, [
    ...charts,
    ...sitesOf(epochs).map(({ site, units }): [string, PanelCurve[]] => [
      `${site}: open while training, %`,
      [
        ofSite(site, 'mean', COLOURS.train, ({ rate }) => 100 * rate),
        ofSite(site, 'most open', COLOURS.most, ({ spread }) => 100 * spread.most),
        ofSite(site, `dead, of ${units}`, COLOURS.dead, ({ dead }) => (100 * dead) / units),
      ],
    ]),
  ]);
}

type Epoch = Pick<TaskEpochEvent, 'epoch' | 'health'>;

/** The sites of all epochs, each once. Those of a file that was changed need not be the same in every epoch. */
const sitesOf = (epochs: readonly Epoch[]): SiteHealth[] => [
  ...new Map(epochs.flatMap(({ health }) => health.map((site) => [site.site, site] as const))).values(),
];

/** A value of a site over the epochs that have the site. */
function curveOfSite(
  epochs: readonly Epoch[],
  site: string,
  name: string,
  colour: string,
  value: (health: SiteHealth) => number,
): PanelCurve {
  const points = epochs.flatMap(({ epoch, health }) =>
    health.filter((one) => one.site === site).map((one) => ({ x: epoch, y: value(one) })),
  );
  return { name, colour, points };
}

function panelsOf(title: string, panels: readonly (readonly [string, readonly PanelCurve[]])[]): string {
  return drawPanels(
    title,
    panels.map(([name, curves]): Panel => ({ title: name, curves, xTick: (epoch) => `epoch ${epoch}` })),
  );
}
