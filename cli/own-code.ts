import { basename } from 'node:path';
import type { Command } from 'commander';
import {
  type LayerSpec,
  type Module,
  type NeuronDefinition,
  type Run,
  tasks as shippedTasks,
  type Task,
} from '../src/index.ts';
import { zoo } from '../src/neurons/index.ts';
import { neededFiles, type OwnFile } from '../src/runs/own.ts';
import type { SweepCode } from '../src/runs/sweep/definition.ts';
import { pathWord } from './command-line.ts';
import { UsageError } from './exit.ts';
import { withOutput } from './network.ts';
import { type NetworkOfFile, networkAmong, networksAmong } from './network-file.ts';
import { neuronsAmong, noNeuron } from './neuron-file.ts';
import { distinctFiles, exportsOf, isSameFile, type OwnModule, ownModule } from './own-file.ts';
import { tasksAmong } from './task-file.ts';

/** Flags of commands that take code of the user's own. */
export interface OwnFlags {
  /** A file that exports a network, with the name of the export after #. */
  readonly net?: string;
  /** Files whose neurons and tasks are known by name. */
  readonly use?: readonly string[];
  /** Go on with files that are not those of the run. */
  readonly anyCode?: boolean;
}

/** `--use`, for commands that ask for neurons by name. */
export const withUse = (command: Command): Command =>
  command.option(
    '--use <file>',
    'a TypeScript or JavaScript file that exports neurons or tasks, which you can then use by name; repeatable',
    (file: string, before: readonly string[] = []) => [...before, file],
  );

/** The same with `--net`. @param net what it says in help */
export const withNetAndUse = (command: Command, net: string): Command => withUse(command).option('--net <file>', net);

/** The same for commands on runs: the run's own files have to be named again. */
export const withOwnCode = (command: Command, net: string): Command =>
  withNetAndUse(command, net).option(
    '--any-code',
    'accept files of --net and --use that differ from those that the run began with',
  );

/** Flags that name neurons or a task; the path of a file may stand in the place of a name. */
interface NamingFlags {
  readonly neuron?: string | readonly string[];
  readonly task?: string;
  readonly use?: readonly string[];
}

/** A path of code, and what may follow a name: options of a neuron, passes of a race. */
const CODE_PATH = /^(.+?\.[mc]?[jt]s)((?:[:*].*)?)$/s;

/** The file of such a path; undefined for a name. */
export const codePath = (text: string): string | undefined => CODE_PATH.exec(text)?.[1];

/**
 * Flags with names in the place of paths, whose files are known by --use then.
 * @throws UsageError for a file that exports none, or several
 */
export async function namesOfPaths<F extends NamingFlags>(flags: F): Promise<F> {
  let use = flags.use ?? [];
  const named = async (
    text: string,
    what: 'neuron' | 'task',
    among: (exported: Readonly<Record<string, unknown>>, file: string) => readonly { readonly name: string }[],
  ): Promise<string> => {
    const [, file, more = ''] = CODE_PATH.exec(text) ?? [];
    if (file === undefined) return text;
    const names = among(await exportsOf(ownModule(file, `a ${what}`)), file).map(({ name }) => name);
    if (names.length === 0)
      throw what === 'neuron' ? noNeuron(file) : new UsageError(`${file} exports no task. Expected one.`);
    if (names.length > 1)
      throw new UsageError(
        `${file} exports several ${what}s: ${names.join(', ')}. Expected --use ${pathWord(file)}, and the name of one as --${what}.`,
      );
    use = distinctFiles([...use, file]);
    return `${names[0]}${more}`;
  };
  const { neuron, task } = flags;
  const neurons =
    neuron === undefined || typeof neuron === 'string'
      ? neuron && (await named(neuron, 'neuron', neuronsAmong))
      : await Promise.all(neuron.map((text) => named(text, 'neuron', neuronsAmong)));
  const given = task && (await named(task, 'task', tasksAmong));
  return {
    ...flags,
    ...(neurons !== undefined && { neuron: neurons }),
    ...(given !== undefined && { task: given }),
    ...(use.length > 0 && { use }),
  };
}

/** Code of the user's own that was asked for, and run. */
export interface OwnCodeOf {
  readonly neurons: readonly NeuronDefinition[];
  readonly tasks: readonly Task[];
  /** What the record of a run says of it. */
  readonly files: readonly OwnFile[];
  readonly network?: NetworkOfFile;
}

/** Loads what --net and --use name. @throws UsageError for files that do not do */
export async function ownCode({ net, use = [] }: OwnFlags): Promise<OwnCodeOf> {
  return loaded(modulesOf({ net, use }));
}

/** The neurons of the files of --use. */
export const neuronsOf = async (use: readonly string[] | undefined): Promise<readonly NeuronDefinition[]> =>
  (await ownCode({ use: use ?? [] })).neurons;

interface Modules {
  readonly net?: OwnModule & { readonly export?: string };
  readonly use: readonly OwnModule[];
}

function modulesOf({ net, use }: { net: string | undefined; use: readonly string[] }): Modules {
  const files = distinctFiles(use).map((file) => ownModule(file, 'a neuron'));
  if (net === undefined) return { use: files };
  const [, path, name] = /^(.*?)(?:#([^#/\\]*))?$/s.exec(net) as unknown as [string, string, string | undefined];
  return { use: files, net: { ...ownModule(path, 'a network'), ...(name && { export: name }) } };
}

async function loaded({ net, use }: Modules): Promise<OwnCodeOf> {
  const neurons: NeuronDefinition[] = [];
  const tasks: Task[] = [];
  const files: OwnFile[] = [];
  const add = (
    module: OwnModule,
    { found, made }: { found: readonly NeuronDefinition[]; made: readonly Task[] },
    network?: string,
  ): void => {
    for (const task of made) {
      if (Object.hasOwn(shippedTasks, task.name) || tasks.some((other) => other.name === task.name))
        throw new UsageError(
          `${module.file} exports a task "${task.name}", as another is called. Expected another name.`,
        );
      tasks.push(task);
    }
    for (const definition of found) {
      const { name } = definition;
      checkName(name, module.file);
      if (neurons.some((other) => other.name === name))
        throw new UsageError(
          `Two files have a neuron "${name}"; ${module.file} is the second. Expected names that differ.`,
        );
      neurons.push(definition);
    }
    const names = found.map(({ name }) => name);
    files.push({
      file: module.path,
      sha256: module.sha256,
      ...(network !== undefined && { network }),
      neurons: names,
      ...(made.length > 0 && { tasks: made.map(({ name }) => name) }),
    });
  };
  let network: NetworkOfFile | undefined;
  if (net) {
    const exported = await exportsOf(net);
    network = networkAmong(exported, net);
    add(net, codeAmong(exported, net.file), network.export);
  }
  for (const module of use) {
    if (net && isSameFile(module.path, net.path)) continue;
    const exported = await exportsOf(module);
    const code = codeAmong(exported, module.file);
    if (code.found.length + code.made.length === 0) {
      const instead = networksAmong(exported).length > 0 ? `, or its network by --net ${pathWord(module.file)}` : '';
      throw new UsageError(
        `${module.file} exports neither a neuron nor a task. Expected a value made by \`defineNeuron\`, or a task, by name or as default${instead}.`,
      );
    }
    add(module, code);
  }
  return { neurons, tasks, files, ...(network && { network }) };
}

/** The neurons and the tasks among a file's exports. */
const codeAmong = (exported: Readonly<Record<string, unknown>>, file: string) => ({
  found: neuronsAmong(exported, file),
  made: tasksAmong(exported, file),
});

/** Texts ask for neurons: their names are words, and no shipped one has them. */
function checkName(name: string, file: string): void {
  if (Object.hasOwn(zoo, name))
    throw new UsageError(`${file} exports a neuron "${name}", as a shipped one is called. Expected another name.`);
  if (!/^[A-Za-z][\w-]*$/.test(name))
    throw new UsageError(
      `${file} exports a neuron "${name}", which no text can ask for. Expected a name of letters, digits and hyphens.`,
    );
}

/** The same of a run, with its layers where its record has not all of them: for `trainRun`, `runModel`. */
export interface RunCode extends OwnCodeOf {
  readonly layers?: readonly (Module | LayerSpec)[];
}

/**
 * The code that a run needs. No file is run that the command line does not name: a run's folder may come from anybody.
 * @throws UsageError when a file is not named, or is another one than the run began with
 */
export async function codeOfRun(run: Run, flags: OwnFlags): Promise<RunCode> {
  const { record, folder } = run;
  const needed = neededFiles(record);
  const modules = modulesOf({ net: flags.net, use: flags.use ?? [] });
  const began = (record.own ?? []).find(({ network }) => network !== undefined);
  if (modules.net && !began) throw new UsageError(`${folder.path} has no network of a file. Expected no --net.`);
  for (const entry of needed) checkNamed(entry, modules, flags, folder.path);
  if (modules.net && began) checkSame(modules.net, began, flags, folder.path);
  const code = await loaded(modules);
  const { network } = code;
  if (network && network.export !== began?.network)
    throw new UsageError(
      `${folder.path} trains the export "${began?.network}" of ${modules.net?.file}, and "${network.export}" is asked for. Expected --net ${modules.net?.file}#${began?.network}.`,
    );
  if (!network || !needed.some((entry) => entry.network !== undefined)) return code;
  const { neuron } = record.config;
  const { outputs } = record.data;
  const facts = { inputs: record.model.inputs, classes: outputs, outputs, neuron: String(neuron) };
  return { ...code, layers: withOutput(network.layers(facts), outputs, code.neurons).layers };
}

/** Is a file that a run needs among those that are named? */
function checkNamed(entry: OwnFile, { net, use }: Modules, flags: OwnFlags, path: string): void {
  const { file, sha256, network, neurons, tasks = [] } = entry;
  if (network !== undefined) {
    if (net) return;
    throw new UsageError(
      `The network of ${path} is a function in ${file} (export ${network}), and no folder of a run makes this program run code. Expected --net FILE with that file.`,
    );
  }
  if (use.some((module) => module.sha256 === sha256)) return;
  const named =
    use.find((module) => basename(module.path) === basename(file)) ?? (use.length === 1 ? use[0] : undefined);
  if (!named)
    throw new UsageError(
      `${path} has ${tasks.length > 0 ? 'neurons or tasks' : 'neurons'} of ${file} (${[...neurons, ...tasks].join(', ')}), and no folder of a run makes this program run code. Expected --use FILE with that file.`,
    );
  checkSame(named, entry, flags, path);
}

function checkSame({ file, sha256 }: OwnModule, began: OwnFile, { anyCode = false }: OwnFlags, path: string): void {
  if (sha256 === began.sha256 || anyCode) return;
  throw new UsageError(
    `${file} is not the file that ${path} began with: its SHA-256 is ${sha256.slice(0, 12)}…, and was ${began.sha256.slice(0, 12)}…. Expected the same file, or --any-code to go on with this one.`,
  );
}

/** The flags again, as words of a command that is printed. */
export const ownWords = ({ net, use = [] }: OwnFlags): string[] => [
  ...(net === undefined ? [] : ['--net', pathWord(net)]),
  ...use.flatMap((file) => ['--use', pathWord(file)]),
];

/** What a sweep's definition says of the code that its trials have. @throws UsageError for a file that is not there */
export function codeOfSweep({ net, use = [] }: OwnFlags): readonly SweepCode[] {
  const modules = modulesOf({ net, use });
  const told = ({ path, sha256 }: OwnModule) => ({ file: basename(path), sha256 });
  return [
    ...(modules.net
      ? [{ flag: 'net' as const, ...told(modules.net), ...(modules.net.export && { export: modules.net.export }) }]
      : []),
    ...modules.use.map((module) => ({ flag: 'use' as const, ...told(module) })),
  ];
}

/** Why trials of a sweep cannot be trained with the code that was named; undefined where they can. */
export function codeMisfit(
  sweep: string,
  wanted: readonly SweepCode[],
  given: readonly SweepCode[],
): string | undefined {
  const texts = (code: readonly SweepCode[]) =>
    code.map(({ flag, sha256, export: name = '' }) => `${flag} ${sha256} ${name}`).sort();
  if (texts(wanted).join() === texts(given).join()) return undefined;
  const asked = wanted.map(
    ({ flag, file, sha256, export: name }) =>
      `--${flag} ${file}${name === undefined ? '' : `#${name}`} (SHA-256 ${sha256.slice(0, 12)}…)`,
  );
  return `The sweep "${sweep}" has ${asked.length > 0 ? `code of ${asked.join(', ')}` : 'no code of files'}. Expected ${asked.length > 0 ? 'the same files' : 'neither --net nor --use'}.`;
}
