/** Errors that a module has let out: the innermost one has named the place, or left it. */
const seen = new WeakSet<Error>();

/**
 * An error that names the module where it came up: `add in "residual0.dense1": …`, `In "gated0": …`. Only plain RangeErrors are replaced, by one
 * with the first as its cause. Of a user's own module only those are that an operation throws, whose message begins with its name: what the
 * user's code throws, a class of its own, or an error with fields or a cause, stays as it is.
 * @param full the module's name from the model down @param own is the module's code the user's?
 */
export function placed(error: unknown, full: string, own: boolean): unknown {
  if (!(error instanceof Error) || seen.has(error)) return error;
  seen.add(error);
  const { message, cause } = error;
  const plain = Object.getPrototypeOf(error) === RangeError.prototype && Object.keys(error).length === 0;
  if (!plain || cause !== undefined || message.includes(`"${full}`) || message.startsWith(full)) return error;
  const [, op, rest] = /^(\w+): (.*)$/s.exec(message) ?? [];
  if (op === undefined && own) return error;
  const sentence = op === undefined ? `In "${full}": ${message}` : `${op} in "${full}": ${rest}`;
  const replaced = new RangeError(sentence, { cause: error });
  seen.add(replaced);
  return replaced;
}
