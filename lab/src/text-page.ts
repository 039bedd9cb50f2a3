import { numberIn, wholeNumber, words } from './url-state.ts';

/** Where a build has the shipped network. */
export const TEXT_FILE = 'text.safetensors.gz';
/** Bytes that it was shown at once in training. */
export const CONTEXT = 128;
/** What the page begins with. */
export const BEGINNING = 'Call me Ishmael. ';

export const TEXT_PAGE = {
  text: words(BEGINNING, 1000),
  /** The letter that is looked at; −1: the last one. */
  letter: wholeNumber(-1, -1, CONTEXT - 1),
  /** The block that is kept; −1: none. */
  block: wholeNumber(-1, -1, 1023),
  temperature: numberIn(0.6, 0, 2),
};
