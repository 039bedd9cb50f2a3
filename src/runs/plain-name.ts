/** Up to 64 letters, digits, "-", "_" and ".", beginning with a letter or digit: one step into a folder on any system, and nothing else. */
const PLAIN = /^[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9_-])?$/i;
/** Windows takes these for devices, with any ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** What an error says after what was given. */
export const EXPECTED_NAME = 'Expected up to 64 letters, digits, "-", "_" and ".", beginning with a letter or digit';

/** Is that a name for a sweep, a trial or a run? It becomes a folder, and may come from a stranger. */
export const isPlainName = (value: unknown): value is string =>
  typeof value === 'string' && PLAIN.test(value) && !DEVICE.test(value);
