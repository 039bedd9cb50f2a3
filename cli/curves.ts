import type { EpochEvent, MetricsLine, RunRecord, SiteHealth, VaeEpochEvent } from '../src/index.ts';
import { drawPanels, type Panel, type PanelCurve } from './panels.ts';

/** Colour-blind safe (Okabe and Ito 2008). */
const COLOURS = { train: '#0072b2', valid: '#d55e00', dead: '#555555', most: '#56b4e9' };

/** Losses, errors, and how often the gates of every site opened, epoch by epoch. */
export function curvesChart(lines: readonly MetricsLine[], { config, seed, data }: RunRecord): string {
  const epochs = lines.filter((line): line is MetricsLine & EpochEvent => line.event === 'epoch');
  const of = (name: string, colour: string, value: (epoch: EpochEvent) => number): PanelCurve => ({
    name,
    colour,
    points: epochs.map((epoch) => ({ x: epoch.epoch, y: value(epoch) })),
  });
  const sites = sitesOf(epochs);
  const ofSite = (site: string, name: string, colour: string, value: (health: SiteHealth) => number): PanelCurve =>
    curveOfSite(epochs, site, name, colour, value);
  return panelsOf(`${data.name}, ${config.neuron ?? ''}, seed ${seed}`, [
    [
      'cross-entropy, nats',
      [
        of('training', COLOURS.train, ({ trainLoss }) => trainLoss),
        of('validation', COLOURS.valid, ({ validLoss }) => validLoss),
      ],
    ],
    [
      'error, %',
      [
        of('training', COLOURS.train, ({ trainError }) => 100 * trainError),
        of('validation', COLOURS.valid, ({ validError }) => 100 * validError),
      ],
    ],
    ...sites.map(({ site, units }): [string, PanelCurve[]] => [
      `${site}: open while training, %`,
      [
        ofSite(site, 'mean', COLOURS.train, ({ rate }) => 100 * rate),
        ofSite(site, 'most open', COLOURS.most, ({ spread }) => 100 * spread.most),
        ofSite(site, `dead, of ${units}`, COLOURS.dead, ({ dead }) => (100 * dead) / units),
      ],
    ]),
  ]);
}

/** −ELBO, and how often the latents were on, epoch by epoch. */
export function vaeCurvesChart(epochs: readonly VaeEpochEvent[], title: string): string {
  const of = (name: string, colour: string, value: (epoch: VaeEpochEvent) => number): PanelCurve => ({
    name,
    colour,
    points: epochs.map((epoch) => ({ x: epoch.epoch, y: value(epoch) })),
  });
  return panelsOf(title, [
    [
      '−ELBO, nats',
      [
        of('training', COLOURS.train, ({ trainLoss }) => trainLoss),
        of('validation', COLOURS.valid, ({ validElbo }) => -validElbo),
      ],
    ],
    ...sitesOf(epochs).map(({ site }): [string, PanelCurve[]] => [
      `${site}: on while training, %`,
      [curveOfSite(epochs, site, 'mean', COLOURS.train, ({ rate }) => 100 * rate)],
    ]),
  ]);
}

type Epoch = Pick<EpochEvent, 'epoch' | 'health'>;

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
