import type { Hold } from '../../src/index.ts';
import { openingSentence } from './block-words.ts';
import type { Board, GateRow } from './worker/gate-board.ts';

/** A gate as the page "Gates" speaks of it, whatever the digit. */
export interface GateWords {
  readonly gate: GateRow;
  /** As holds and addresses name it: site and number. */
  readonly name: string;
  /** As short as it can be: sites have names where there are several. */
  readonly short: string;
  /** What is known of it, in words. */
  readonly said: string;
}

/** The same with what it does for a digit. */
export interface GateEntry extends GateWords {
  /** Of the draws for this digit that open it. */
  readonly share: number;
  /** How it is held; undefined: it is free. */
  readonly way: boolean | undefined;
}

/** Once a board. @param classes names of the classes, where they have some */
export function gateWords({ gates }: Pick<Board, 'gates'>, classes: readonly string[] | undefined): GateWords[] {
  const oneSite = gates.every(({ site }) => site === gates[0].site);
  return gates.map((gate) => {
    const name = `${gate.site}:${gate.unit}`;
    return { gate, name, short: oneSite ? `gate ${gate.unit}` : name, said: openingSentence(gate, classes) };
  });
}

/** Once a look. @param shares of the draws that open each gate, by site; undefined: not known yet */
export const gateEntries = (
  words: readonly GateWords[],
  shares: Readonly<Record<string, readonly number[]>> | undefined,
  holds: readonly Hold[],
): GateEntry[] =>
  words.map((one) => {
    const { site, unit } = one.gate;
    return {
      ...one,
      share: shares?.[site]?.[unit] ?? 0,
      way: holds.find((hold) => hold.site === site && hold.unit === unit)?.open,
    };
  });
