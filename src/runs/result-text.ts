import { type Figure, figureText, nameIn, type Reading, resultFigures } from '../tasks/reading.ts';
import type { InModes, TaskResultEvent } from '../train/events.ts';

const MODES = [
  ['sampled', 'sampled'],
  ['threshold', 'threshold'],
  ['meanField', 'mean-field'],
] as const;

/** As a title has it: with the unit, where the number does not show it. */
export const withUnit = ({ title, unit }: Figure): string =>
  unit === undefined || unit === 'share' || title.includes(unit) ? title : `${title}, ${unit}`;

/** Of bits in nats, too. */
const inNats = ({ unit }: Figure, bits: number): string =>
  unit === 'bits' ? ` (${(bits * Math.LN2).toFixed(4)} nats)` : '';

/**
 * What a result tells of the task's metrics, for people: a name and a text each. The metric that chose the best epoch is told in every mode of
 * inference, others by thresholds.
 */
export function resultText(task: Reading, result: TaskResultEvent): [string, string][] {
  const told = result as unknown as Readonly<Record<string, number | InModes | undefined>>;
  const { metric: chosen } = task.best;
  const tests = resultFigures(task, 'test').flatMap(({ name, metric, figure }): [string, string][] => {
    const value = told[name];
    if (value === undefined) return [];
    if (typeof value === 'number') return [[`test ${withUnit(figure)}`, figureText(figure, value)]];
    const modes = metric === chosen ? MODES : MODES.slice(1, 2);
    return modes.map(([mode, words]) => [
      `test ${withUnit(figure)}, ${words}`,
      `${figureText(figure, value[mode])}${inNats(figure, value[mode])}`,
    ]);
  });
  const figure = task.figures[chosen] ?? { title: chosen };
  const trained = told[nameIn('train', chosen)];
  const valid = told[nameIn('valid', chosen)];
  return [
    ...(typeof trained === 'number'
      ? [[`train ${withUnit(figure)}`, figureText(figure, trained)] as [string, string]]
      : []),
    ...tests,
    [
      `validation ${withUnit(figure)} (best epoch)`,
      `${typeof valid === 'number' ? figureText(figure, valid) : '–'} (epoch ${result.bestEpoch})`,
    ],
  ];
}
