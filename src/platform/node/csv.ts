import { isUtf8 } from 'node:buffer';
import { CsvError, parse } from 'csv-parse/sync';
import { DataError } from '../../data/dataset.ts';
import { foreignFormat } from '../../data/file-format.ts';
import type { See } from './plain-file.ts';

/** The delimiters that are told apart by the first line. */
const DELIMITERS = [',', ';', '\t'];
/** The most bytes of a line and of a record: a hundred thousand numbers, with room to spare. */
const MOST_LINE = 2 ** 22;
const NEWLINE = 10;

/** The parser's message quotes the file, at any length, after up to 70 characters of its own. */
const cut = (message: string): string => (message.length > 150 ? `${message.slice(0, 149)}…` : message);

/** Text in quotes, which may hold any delimiter. */
const QUOTED = /"(?:[^"]|"")*"/g;

/** The delimiter that the first line holds most of outside quotes; a comma when it holds none. */
export function findDelimiter(bytes: Uint8Array): string {
  const end = bytes.indexOf(NEWLINE);
  const line = new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end)).replaceAll(QUOTED, '');
  const [best] = DELIMITERS.map((delimiter) => ({ delimiter, times: line.split(delimiter).length })).sort(
    (a, b) => b.times - a.times,
  );
  return best.delimiter;
}

/** Sees to it that a text has lines of a bounded length, piece by piece. @param where what it is, for messages */
export function watchLines(where: string): See {
  let length = 0;
  return (piece, place) => {
    const foreign = place === 0 ? foreignFormat(piece) : undefined;
    if (foreign !== undefined)
      throw new DataError(`${where} is ${foreign}. Expected a table of text, or a PNG file where pictures are taken.`);
    for (let at = 0; at < piece.length; ) {
      const end = piece.indexOf(NEWLINE, at);
      length += (end < 0 ? piece.length : end) - at;
      if (length > MOST_LINE)
        throw new DataError(`${where} has a line of more than ${MOST_LINE} bytes. Expected a row an example.`);
      if (end < 0) return;
      length = 0;
      at = end + 1;
    }
  };
}

/** @throws DataError for bytes that are no UTF-8, whose letters would become others: words that differ could then be one */
function checkText(bytes: Uint8Array, where: string): void {
  if (isUtf8(bytes)) return;
  let line = 1;
  for (let from = 0; from < bytes.length; line++) {
    const at = bytes.indexOf(NEWLINE, from);
    const end = at < 0 ? bytes.length : at + 1;
    if (!isUtf8(bytes.subarray(from, end))) break;
    from = end;
  }
  throw new DataError(
    `Line ${line} of ${where} is not UTF-8. Expected a text in UTF-8, as programs of tables save it when they are asked for "CSV UTF-8".`,
  );
}

/** Thrown inside the parser: there is no other way to stop it before the end of the file. */
const ENOUGH = new Error('enough');

/**
 * Calls `record` for each record of a CSV file (separated by commas, semicolons or tabs; UTF-8), in order, and keeps none.
 * @param record takes the cells and the number of the line that they end on, from 1; returns false to stop
 * @throws DataError when it is no CSV file in UTF-8, or has lines or records of more than 4 MiB
 */
export function eachRecord(bytes: Uint8Array, where: string, record: (cells: string[], line: number) => unknown): void {
  watchLines(where)(bytes, 0, bytes.length);
  checkText(bytes, where);
  try {
    parse(bytes, {
      bom: true,
      delimiter: findDelimiter(bytes),
      relax_column_count: true,
      skip_empty_lines: true,
      // `"a", "b"` is quoted too.
      trim: true,
      max_record_size: MOST_LINE,
      on_record: (cells: string[], { lines }) => {
        if (record(cells, lines) === false) throw ENOUGH;
        return null;
      },
    });
  } catch (error) {
    if (error === ENOUGH) return;
    if (!(error instanceof CsvError)) throw error;
    throw new DataError(`${where} is not CSV: ${cut(error.message)}.`, { cause: error });
  }
}
