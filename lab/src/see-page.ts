import { MOST_POINTS } from './drawing.ts';
import { FRONT, FRONT_NEURONS } from './front-network.ts';
import { choice, numberIn, type Settings, wholeNumber, words } from './url-state.ts';

export const SEE_PAGE = {
  /** −1: they come by themselves. */
  digit: wholeNumber(-1, -1, 199),
  draw: words('', 3 * MOST_POINTS),
  hold: words(''),
  block: wholeNumber(-1, -1, FRONT.blocks - 1),
  neuron: choice(
    'straight-through',
    FRONT_NEURONS.map(([name]) => name),
  ),
  rate: numberIn(0.1, 0.03, 0.5),
};
export type SeePage = Settings<typeof SEE_PAGE>;
