import type { Hold } from '../../src/index.ts';
import { favouriteClasses } from './favourite-classes.ts';
import { percent } from './percent.ts';
import type { Board, GateRow } from './worker/gate-board.ts';

/** A gate as the page "Gates" speaks of it. */
export interface GateEntry {
  readonly gate: GateRow;
  /** As holds and addresses name it: site and number. */
  readonly name: string;
  /** As short as it can be: sites have names where there are several. */
  readonly short: string;
  /** Of the draws for this digit that open it. */
  readonly share: number;
  /** How it is held; undefined: it is free. */
  readonly way: boolean | undefined;
  /** What is known of it, in words. */
  readonly said: string;
}

/** @param shares of the draws that open each gate, by site; undefined: not known yet @param classes names of the classes, where they have some */
export function gateEntries(
  { gates }: Pick<Board, 'gates'>,
  shares: Readonly<Record<string, readonly number[]>> | undefined,
  holds: readonly Hold[],
  classes: readonly string[] | undefined,
): GateEntry[] {
  return gates.map((gate) => {
    const { site, unit } = gate;
    const name = `${site}:${unit}`;
    return {
      gate,
      name,
      short: gates.every((other) => other.site === site) ? `gate ${unit}` : name,
      share: shares?.[site]?.[unit] ?? 0,
      way: holds.find((one) => one.site === site && one.unit === unit)?.open,
      said: sentence(gate, classes),
    };
  });
}

function sentence(gate: GateRow, classes: readonly string[] | undefined): string {
  if (gate.health === 'dead') return 'No digit opens it: it is dead.';
  const labels = favouriteClasses(gate).map((label) => classes?.[label] ?? `${label}s`);
  const favourites = labels.length > 0 ? `, mostly ${labels.join(', ')}` : ', of every kind';
  return `Opens for ${percent(gate.rate, 1)} of all digits${favourites}${gate.health === 'always on' ? ': always on' : ''}.`;
}

/** For screen readers. */
export const gateLabel = ({ short, way, said }: GateEntry): string =>
  `${short}${way === undefined ? '' : `, held ${way ? 'open' : 'closed'}`}. ${said}`;
