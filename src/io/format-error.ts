/** A file that cannot be read: damaged, cut short, or not what it should be. The message says which, where, and what was expected. */
export class FormatError extends Error {
  override name = 'FormatError';
}
