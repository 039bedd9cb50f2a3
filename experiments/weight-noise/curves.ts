/** Curves of log-loss on validation against epochs, with bands over seeds. */
import { INK } from '../../charts/figure.ts';
import { drawPanels } from '../../charts/panels.ts';
import { logBand } from '../kit/log-band.ts';

interface Point {
  readonly epoch: number;
  readonly validLoss: number;
}

interface Panel {
  readonly title: string;
  readonly arms: readonly { readonly name: string; readonly runs: readonly (readonly Point[])[] }[];
}

const COLOURS = [INK.grey, INK.blue, INK.vermilion, INK.green];

/** One panel a size: the geometric mean over seeds as a line with its 95% interval as a band; log-loss on a logarithmic axis. */
export const noiseCurves = (panels: readonly Panel[]): string =>
  drawPanels(
    'Weight noise: validation log-loss, nats a string (geometric mean, 95% interval over seeds)',
    panels.map(({ title, arms }) => ({
      title,
      log: true,
      from: 0,
      xTick: (epoch) => `epoch ${epoch}`,
      curves: arms.map(({ name, runs }, i) => ({ name, colour: COLOURS[i], points: bandOf(runs) })),
    })),
  );

/** Of the epochs that all runs have. */
function bandOf(runs: readonly (readonly Point[])[]) {
  const common = Math.min(...runs.map(({ length }) => length));
  return Array.from({ length: runs.length === 0 ? 0 : common }, (_, i) =>
    logBand(
      runs[0][i].epoch,
      runs.map((run) => run[i].validLoss),
    ),
  );
}
