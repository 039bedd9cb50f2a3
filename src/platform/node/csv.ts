import { CsvError, parse } from 'csv-parse/sync';
import { type CsvOptions, type NumberTable, tableReader } from '../../data/csv.ts';
import { DataError } from '../../data/dataset.ts';

/** The delimiters that are told apart by the first line. */
const DELIMITERS = [',', ';', '\t'];

/** The delimiter that the first line holds most of; a comma when it holds none. */
export function findDelimiter(bytes: Uint8Array): string {
  const end = bytes.indexOf(10);
  const line = new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
  const [best] = DELIMITERS.map((delimiter) => ({ delimiter, times: line.split(delimiter).length })).sort(
    (a, b) => b.times - a.times,
  );
  return best.delimiter;
}

/**
 * Reads a CSV file (separated by commas, semicolons or tabs; UTF-8) of numbers and labels. No row is kept as text.
 * @param where what the file is, for messages
 * @throws DataError when the file is not such a table: it names the line and the column
 */
export function readCsv(bytes: Uint8Array, where: string, options: CsvOptions = {}): NumberTable {
  const reader = tableReader(where, options);
  try {
    parse(bytes, {
      bom: true,
      delimiter: findDelimiter(bytes),
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (cells: string[], { lines }) => {
        reader.row(cells, lines);
        return null;
      },
    });
  } catch (error) {
    if (error instanceof CsvError) throw new DataError(`${where} is not CSV: ${error.message}.`, { cause: error });
    throw error;
  }
  return reader.end();
}
