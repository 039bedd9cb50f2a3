import type { EpochEvent, MetricsLine, RunRecord, VaeEpochEvent } from '../src/index.ts';
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
  const sites = epochs[0]?.health ?? [];
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
    ...sites.map(({ site, units }, i): [string, PanelCurve[]] => [
      `${site}: open while training, %`,
      [
        of('mean', COLOURS.train, ({ health }) => 100 * health[i].rate),
        of('most open', COLOURS.most, ({ health }) => 100 * health[i].spread.most),
        of(`dead, of ${units}`, COLOURS.dead, ({ health }) => (100 * health[i].dead) / units),
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
    ...(epochs[0]?.health ?? []).map(({ site }, i): [string, PanelCurve[]] => [
      `${site}: on while training, %`,
      [of('mean', COLOURS.train, ({ health }) => 100 * health[i].rate)],
    ]),
  ]);
}

function panelsOf(title: string, panels: readonly (readonly [string, readonly PanelCurve[]])[]): string {
  return drawPanels(
    title,
    panels.map(([name, curves]): Panel => ({ title: name, curves, xTick: (epoch) => `epoch ${epoch}` })),
  );
}
