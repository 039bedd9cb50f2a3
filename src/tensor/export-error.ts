/** A function of tensors that an export cannot tell: the message says which part, why, and what was expected. */
export class ExportError extends Error {
  override name = 'ExportError';
}
