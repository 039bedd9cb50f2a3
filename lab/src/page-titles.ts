/** The lab's pages by the name in their address, in the order of the navigation; the first is where one arrives. */
export const PAGE_TITLES = {
  see: [
    'See it',
    'A network that wakes only what it needs: a digit, a gater, and the blocks that light up at every toss.',
  ],
  article: [
    'The article',
    'Networks that flip coins, and sleep: the whole subject in nine parts, a figure beside each.',
  ],
  text: ['Text', 'Type, and see which blocks of a transformer wake for every letter.'],
  microscope: [
    'Microscope',
    'One neuron that flips a coin: what its gradients are worth, bias and variance beside each other.',
  ],
  race: ['Race', 'Who learns most from the same work: estimators side by side on written digits.'],
  gates: ['Gates', 'Draw a digit, see which gates open for it, and hold one open or closed.'],
  faster: ['Why (not) faster', 'Where the time of a gated layer goes, measured on the machine in front of you.'],
  noise: ['Noise', 'Why do coins train slowly? Every suspect is a line.'],
  runs: ['Runs', 'What a training left behind: curves, gates, and the published table beside it.'],
  machine: ['This browser', 'The same training, bit for bit, in Node and in a browser.'],
} as const satisfies Readonly<Record<string, readonly [title: string, meaning: string]>>;

export type PageName = keyof typeof PAGE_TITLES;
