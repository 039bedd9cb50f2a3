import { crc32c } from '../math/crc32c.ts';
import { FormatError } from './format-error.ts';
import { asObject, decodeText, parseJson, shorten } from './json.ts';
import { decodeSafetensors, encodeSafetensors } from './safetensors.ts';

/** What a checkpoint holds: arrays by name, and plain JSON. */
export interface Checkpoint {
  readonly arrays: ReadonlyMap<string, Float32Array | Float64Array>;
  readonly facts: unknown;
  /** What training was told, as plain JSON: for who goes on with it. Checkpoints of older versions have none. */
  readonly settings?: unknown;
}

/** Its two files. The JSON carries length and CRC-32C of the arrays, so that files of two checkpoints are not taken for one. */
export const CHECKPOINT_FILES = { arrays: 'arrays.safetensors', facts: 'state.json' } as const;

const FORMAT = 'flipgrad checkpoint 1';

/** The files of a checkpoint, by name. */
export function encodeCheckpoint({ arrays, facts, settings }: Checkpoint): Record<string, Uint8Array> {
  const tensors = new Map([...arrays].map(([name, values]) => [name, { shape: [values.length], values }]));
  const file = encodeSafetensors({ tensors, metadata: { format: FORMAT } });
  const text = JSON.stringify(facts);
  const checks = { bytes: file.length, crc32c: crc32c(file), factsCrc32c: crcOf(text) };
  const fields = [`"format":${JSON.stringify(FORMAT)}`, `"arrays":${JSON.stringify(checks)}`, `"facts":${text}`];
  if (settings !== undefined) {
    const told = JSON.stringify(settings);
    fields.push(`"settings":${told}`, `"settingsCrc32c":${crcOf(told)}`);
  }
  const json = `{${fields.join(',')}}\n`;
  return { [CHECKPOINT_FILES.arrays]: file, [CHECKPOINT_FILES.facts]: new TextEncoder().encode(json) };
}

/**
 * Reads a checkpoint of unknown origin.
 * @param where what it is, for messages
 * @throws FormatError when a file is missing or damaged, or the two do not belong together
 */
export function decodeCheckpoint(files: Readonly<Record<string, Uint8Array | undefined>>, where: string): Checkpoint {
  const [arraysName, factsName] = [`${where}/${CHECKPOINT_FILES.arrays}`, `${where}/${CHECKPOINT_FILES.facts}`];
  const arraysFile = files[CHECKPOINT_FILES.arrays];
  const factsFile = files[CHECKPOINT_FILES.facts];
  if (!arraysFile || !factsFile) throw new FormatError(`There is no ${arraysFile ? factsName : arraysName}.`);
  const state = asObject(parseJson(decodeText(factsFile, factsName), factsName), factsName);
  if (state.format !== FORMAT)
    throw new FormatError(`${factsName} has the format ${shorten(state.format)}; "${FORMAT}" can be read.`);
  const checks = asObject(state.arrays, `"arrays" of ${factsName}`);
  if (checks.bytes !== arraysFile.length || checks.crc32c !== crc32c(arraysFile))
    throw new FormatError(`${arraysName} is damaged: its length or its checksum is not what ${factsName} says.`);
  if (checks.factsCrc32c !== crcOf(JSON.stringify(state.facts)))
    throw new FormatError(`${factsName} is damaged: its checksum is not that of its facts.`);
  if (state.settings !== undefined && state.settingsCrc32c !== crcOf(JSON.stringify(state.settings)))
    throw new FormatError(`${factsName} is damaged: its checksum is not that of its settings.`);
  const { tensors } = decodeSafetensors(arraysFile, arraysName);
  const arrays = new Map<string, Float32Array | Float64Array>();
  for (const [name, { values }] of tensors) {
    if (!(values instanceof Float32Array || values instanceof Float64Array))
      throw new FormatError(`The tensor ${shorten(name)} of ${arraysName} holds whole numbers. Expected F32 or F64.`);
    arrays.set(name, values);
  }
  return { arrays, facts: state.facts, ...(state.settings !== undefined && { settings: state.settings }) };
}

const crcOf = (text: string): number => crc32c(new TextEncoder().encode(text));
