import { INK } from '../charts/figure.ts';
import { drawPanels, type Panel } from '../charts/panels.ts';
import { type RaceMeasure, type RacePoint, raceCurve } from '../src/index.ts';

/** Lines differ by colour and by dash. */
const STYLES = [
  { colour: INK.blue },
  { colour: INK.vermilion, dash: '7 4' },
  { colour: INK.green, dash: '2 3' },
  { colour: INK.purple, dash: '12 4 2 4' },
  { colour: INK.black, dash: '4 2' },
  { colour: INK.orange, dash: '1 4' },
] as const;

/** What is drawn of a race, over what was spent. */
export interface RacePicture {
  readonly points: readonly RacePoint[];
  readonly arms: readonly string[];
  readonly by: RaceMeasure;
  readonly seeds: number;
  /** Were networks measured as they flip? */
  readonly sampled: boolean;
}

/** The curves of the lab's pages Race and Noise: means over the seeds, and bands from the least to the greatest. */
export function raceChart({ points, arms, by, seeds, sampled }: RacePicture): string {
  const noise = sampled ? 'units flipping' : 'noise off';
  const curves = (quantity: (point: RacePoint) => number | undefined) =>
    arms.map((arm, i) => ({ ...STYLES[i % STYLES.length], name: arm, points: raceCurve(points, arm, quantity) }));
  const xTick = (spent: number): string => `${Number(spent.toPrecision(4))} ${by}`;
  const panels: Omit<Panel, 'xTick' | 'from'>[] = [
    { title: `validation error, %, ${noise}`, curves: curves(({ valid }) => 100 * valid.error) },
    { title: 'training loss, nats, as sampled', curves: curves(({ sampledLoss }) => sampledLoss) },
    {
      title: 'variance of one step’s gradient, per example',
      curves: curves(({ gradient }) => gradient?.variance),
      log: true,
    },
    { title: `training loss, nats, ${noise}`, curves: curves(({ train }) => train.loss) },
    {
      title: 'validation less training error, points',
      curves: curves(({ train, valid }) => 100 * (valid.error - train.error)),
    },
  ];
  return drawPanels(
    `Race by ${by}, ${seeds === 1 ? 'one seed' : `${seeds} seeds; lines: means, bands: least to greatest`}`,
    panels.map((panel) => ({ ...panel, xTick, from: 0 })),
    curves(() => undefined),
  );
}
