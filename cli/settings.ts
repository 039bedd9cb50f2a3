import { type Command, InvalidArgumentError, Option } from 'commander';
import type { SettingSpec } from '../src/runs/setting-spec.ts';
import { type SettingName, settingNames, settingSpec } from '../src/runs/train-settings.ts';
import { problemOf } from '../src/schema/schema.ts';
import { flagOf } from './flag-of.ts';
import { printError } from './output.ts';

const EMPTY = 'none';

/** A value on the command line as it is meant: a number where the setting takes one, several where it takes a list. */
function meantBy({ of, separator = /,/ }: SettingSpec, text: string): unknown {
  const takes = (value: unknown) => problemOf(of, value, '') === undefined;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (takes(text)) return text;
  if (takes(number)) return number;
  if (text === EMPTY && takes([])) return [];
  const parts = text.split(separator).map((part) => part.trim());
  const numbers = parts.map(Number);
  return takes(parts) ? parts : takes(numbers) ? numbers : Number.isNaN(number) ? text : number;
}

/** @throws InvalidArgumentError that says what was expected */
export function readSetting(name: SettingName, text: string, before?: unknown): unknown {
  const spec = settingSpec(name) as SettingSpec;
  if (before !== undefined && !spec.adds)
    throw new InvalidArgumentError(`${flagOf(name)} is given twice. Expected it once.`);
  const value = meantBy(spec, text);
  const problem = problemOf(spec.of, value, flagOf(name));
  if (problem !== undefined) throw new InvalidArgumentError(problem.slice(problem.indexOf('Expected ')));
  return Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value;
}

const usualText = ({ usual, usualText: told }: SettingSpec): string | undefined => {
  if (told !== undefined) return told;
  return usual === undefined || typeof usual === 'boolean' ? undefined : String(usual);
};

/** Adds a flag for every setting, with its help. @param more what help says besides of some, as names that are known */
export function withSettings(command: Command, more: Partial<Record<SettingName, string>> = {}): Command {
  for (const name of settingNames) addSetting(command, name, more[name]);
  return command;
}

/** Adds the flag of one setting, with its help. @param more what help says besides */
export function addSetting(command: Command, name: SettingName, more?: string): void {
  const spec: SettingSpec = settingSpec(name) as SettingSpec;
  const usual = usualText(spec);
  const facts = [spec.meaning, ...(more === undefined ? [] : [more])].join(': ');
  const help = `${facts}${usual === undefined ? '' : ` (default: ${usual})`}`;
  const flag = spec.usual === true ? flagOf(name).replace('--', '--no-') : flagOf(name);
  const option = new Option(`${flag}${spec.argument === undefined ? '' : ` <${spec.argument}>`}`, help);
  if (spec.argument !== undefined) option.argParser((text: string, before: unknown) => readSetting(name, text, before));
  command.addOption(option);
  if (spec.formerly !== undefined) addFormerFlag(command, name, spec.formerly, spec);
}

/** The flag that a setting had in the version before: it sets the same, and says what it is called now. */
function addFormerFlag(
  command: Command,
  name: SettingName,
  formerly: string,
  { argument = 'value' }: SettingSpec,
): void {
  const old = new Option(`${flagOf(formerly)} <${argument}>`, `old name of ${flagOf(name)}`).hideHelp();
  command.addOption(old.argParser((text: string, before: unknown) => readSetting(name, text, before)));
  command.on(`option:${old.name()}`, (text: string) => {
    printError(`${flagOf(formerly)} is the old name of ${flagOf(name)}, and goes with the next version.\n`);
    command.setOptionValueWithSource(name, readSetting(name, text, command.getOptionValue(name)), 'cli');
  });
}
