import { FormatError } from '../../../io/format-error.ts';
import { parseJson, shorten } from '../../../io/json.ts';
import { EXPECTED_NAME, isPlainName } from '../../../runs/plain-name.ts';
import { checkOutcome, type TrialOutcome } from '../../../runs/sweep/trial.ts';
import { SweepError } from './sweep-error.ts';

/**
 * Reads what a database holds, which others can write.
 * @param what it is, for the message
 * @throws SweepError where it is nothing that flipgrad has written
 */
export function received<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof RangeError)) throw error;
    throw new SweepError(`In the database, ${what} cannot be used. ${error.message}`, { cause: error });
  }
}

/** A name that a database has: of a sweep, or of a trial's run. @throws SweepError when it is none that can be a folder's */
export function receivedName(name: unknown): string {
  if (isPlainName(name)) return name;
  throw new SweepError(`The database has the name ${shorten(name)}, which no folder may have. ${EXPECTED_NAME}.`);
}

/** The outcome of a trial. @throws SweepError for anything else */
export const receivedOutcome = (text: string, key: string): TrialOutcome =>
  received(`the outcome of ${shorten(key)}`, () => checkOutcome(parseJson(text, 'It')));
