import type { RaceStanding } from '../../src/index.ts';
import { percent } from './percent.ts';

/** Who errs least and most at the end of a race, where the seeds can tell; '' before the end, and for one arm. */
export function raceVerdict(
  standings: readonly RaceStanding[],
  seeds: number,
  nameOf: (arm: string) => string,
): string {
  const ranked = standings.toSorted((a, b) => a.validError.value - b.validError.value);
  const [first, second] = ranked;
  const last = ranked[ranked.length - 1];
  if (!second) return '';
  const share = ({ validError }: RaceStanding): string => percent(validError.value, 1);
  const apart = (other: RaceStanding): boolean => first.validError.most < other.validError.least;
  const best = apart(second)
    ? `${nameOf(first.arm)} errs least: ${share(first)} of the validation digits, against ${share(second)} of ${nameOf(second.arm)}.`
    : `${nameOf(first.arm)} (${share(first)}) and ${nameOf(second.arm)} (${share(second)}) are not told apart by ${seeds} seed${seeds === 1 ? '' : 's'}.`;
  return last !== second && apart(last) ? `${best} ${nameOf(last.arm)} errs most: ${share(last)}.` : best;
}
