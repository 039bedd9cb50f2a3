import { shorten } from '../../io/json.ts';
import { suggest } from '../../math/text.ts';
import { oneOf, problemOf, type Schema, that } from '../../schema/schema.ts';
import { EXPECTED_BLAS, isRecordedBlas } from '../recorded-blas.ts';
import { settingNames, settingSpec } from '../train-settings.ts';

/** What a setting of a trial may be. */
interface SettingKind {
  readonly of: Schema;
  /** May a sweep search a range of it? */
  readonly range: boolean;
  /** Does it name a file of the machine that runs the trial? */
  readonly path: boolean;
}

/** Of a sweep, beside the settings of a training: what bits depend on. */
const ENGINE: Readonly<Record<string, Schema>> = {
  simd: oneOf(['auto', 'simd', 'relaxed']),
  blas: that(isRecordedBlas, EXPECTED_BLAS),
};

/** Options of `train` that are the machine's own, and what says them. */
const OF_THE_MACHINE: Readonly<Record<string, string>> = {
  net: '--net',
  use: '--use',
  dataDir: '--data-dir',
  threads: '--threads',
  checkpointEvery: '--checkpoint-every',
};

/** Trials come from a database that others can write: a setting chooses what is trained, not what the machine does for it. */
function kindOf(name: string): SettingKind | undefined {
  if (Object.hasOwn(ENGINE, name)) return { of: ENGINE[name], range: false, path: false };
  const spec = settingSpec(name);
  if (!spec || spec.sweep === false) return undefined;
  return { of: spec.sweep ?? spec.of, range: spec.range ?? false, path: spec.path ?? false };
}

const NAMES = [...settingNames, ...Object.keys(ENGINE)].filter((name) => kindOf(name));

/** Names of the settings that are paths. */
export const PATH_SETTINGS: readonly string[] = NAMES.filter((name) => kindOf(name)?.path);

/** What a setting may be. @param where what has it, for messages: `train`. @throws RangeError where there is none of that name */
export function settingKind(where: string, name: string): SettingKind {
  const kind = kindOf(name);
  if (kind) return kind;
  const flag = Object.hasOwn(OF_THE_MACHINE, name) ? OF_THE_MACHINE[name] : undefined;
  throw new RangeError(
    flag === undefined
      ? `\`${where}\` has no setting "${name}". ${suggest(name, NAMES)}`
      : `\`${where}\` has "${name}", which each machine says for itself. Expected ${flag} of \`flipgrad sweep\` and \`flipgrad worker\` instead.`,
  );
}

/** @param where what has the settings, for messages. @throws RangeError for what is no setting, or a value that it cannot have */
export function checkSettings(where: string, settings: unknown): void {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    throw new RangeError(`\`${where}\` is ${shorten(settings)}. Expected an object of settings.`);
  for (const [name, value] of Object.entries(settings)) checkSetting(where, name, value);
}

/** @throws RangeError */
export function checkSetting(where: string, name: string, value: unknown): void {
  const problem = problemOf(settingKind(where, name).of, value, `\`${where}.${name}\``);
  if (problem !== undefined) throw new RangeError(problem);
}

/** What a setting is expected to be, as a sentence without its end. @param value what it cannot be */
export function expectedOf({ of }: SettingKind, value: unknown): string {
  const problem = problemOf(of, value, 'it') ?? 'Expected another value.';
  return problem.slice(problem.indexOf('Expected ')).replace(/\.$/, '');
}
