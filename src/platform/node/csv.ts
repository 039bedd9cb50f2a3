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

/** The delimiter that the first line holds most of; a comma when it holds none. */
export function findDelimiter(bytes: Uint8Array): string {
  const end = bytes.indexOf(NEWLINE);
  const line = new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
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
      throw new DataError(
        `${where} is a ${foreign}. Expected a table of text, or a PNG file where pictures are taken.`,
      );
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

/**
 * Gives the records of a CSV file (separated by commas, semicolons or tabs; UTF-8) one after the other; none is kept.
 * @param record takes the cells and the line that they end on, from 1
 * @throws DataError when it is no CSV file, or has lines or records of more than 4 MiB
 */
export function eachRecord(bytes: Uint8Array, where: string, record: (cells: string[], line: number) => void): void {
  watchLines(where)(bytes, 0, bytes.length);
  try {
    parse(bytes, {
      bom: true,
      delimiter: findDelimiter(bytes),
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: MOST_LINE,
      on_record: (cells: string[], { lines }) => {
        record(cells, lines);
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new DataError(`${where} is not CSV: ${cut(error.message)}.`, { cause: error });
  }
}
