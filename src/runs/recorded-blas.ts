/**
 * What a file may say of BLAS. The path of a library is native code that a reader would load, so that it comes from the command line
 * or $FLIPGRAD_BLAS alone: no run record, checkpoint, sweep or database holds one.
 */
export type RecordedBlas = 'auto' | 'off';

export const isRecordedBlas = (value: unknown): value is RecordedBlas => value === 'auto' || value === 'off';

/** The choice of a command line as a record keeps it. */
export const recordedBlas = (choice: string): RecordedBlas => (choice === 'off' ? 'off' : 'auto');

/** What an error says was expected. */
export const EXPECTED_BLAS =
  '"auto" or "off": the path of a library comes from --blas or FLIPGRAD_BLAS alone, never from a file';
