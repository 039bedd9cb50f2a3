import type { Waterfall } from '../../src/index.ts';

/** One bar of a waterfall: where it begins and ends, in milliseconds. */
export interface Step {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly milliseconds: number;
  readonly kind: 'whole' | 'part' | 'saved';
  /** The symbol of the article's equation that it is a term of; absent: none. */
  readonly symbol?: 'measured' | 'share' | 'parts';
}

/** From the dense layer down to what skipping would cost at best, and up again to what was measured. */
export function stepsOf({ dense, ideal, gater, compaction, memory, uneven, measured }: Waterfall): Step[] {
  const whole = (name: string, to: number): Step => ({ name, from: 0, to, milliseconds: to, kind: 'whole' });
  const steps: Step[] = [
    whole('all blocks computed', dense),
    { name: 'skipped at best', from: ideal, to: dense, milliseconds: dense - ideal, kind: 'saved' },
    { ...whole('ideal: rate × all', ideal), symbol: 'share' },
  ];
  let at = ideal;
  for (const [name, milliseconds] of [
    ['+ the gater', gater],
    ['+ listing open blocks', compaction],
    ['+ weights read for few rows', memory],
    ['+ uneven blocks', uneven],
  ] as const) {
    steps.push({ name, from: at, to: at + milliseconds, milliseconds, kind: 'part', symbol: 'parts' });
    at += milliseconds;
  }
  return [...steps, { ...whole('measured', measured), symbol: 'measured' }];
}
