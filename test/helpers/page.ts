import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'shell-quote';
import { programFor } from '../../cli/program.ts';
import { runHere } from './run-here.ts';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/**
 * A fenced block of a page. How it is tested follows from its language, and from a comment on the line above it, which readers do not see:
 *
 *     <!-- example: slow -->                     only `npm run test:full` runs it
 *     <!-- example: elsewhere PATH [PATH] -->    those files test it
 *     <!-- example: not run, REASON -->          nothing here can run it
 */
export interface Block {
  readonly language: string;
  readonly code: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  /** TypeScript that begins with `// NAME` is a file of that name, which later commands use. */
  readonly file: string | undefined;
  /** What the page says that it prints: the block of text right after it. */
  readonly prints: string | undefined;
  readonly how: 'run' | 'slow' | 'elsewhere' | 'not run';
  /** Of `elsewhere` the files, of `not run` the reason. */
  readonly note: string;
}

const FENCE = /^(?:<!-- example: (.*) -->\n)?```(\w*)\n([\s\S]*?)^```$/gm;

/** Every fenced block of a page, outputs apart: they stand with what prints them. */
export function blocksOf(markdown: string): Block[] {
  const found = [...markdown.matchAll(FENCE)].map((match) => ({ match, end: match.index + match[0].length }));
  return found.flatMap(({ match: [whole, marked = '', language, code], match: { index }, end }, i) => {
    const next = found[i + 1];
    const follows = next?.match[2] === 'text' && markdown.slice(end, next.match.index).length < 200;
    const [, how = 'run', note = ''] = /^(slow|elsewhere|not run),? ?(.*)$/.exec(marked) ?? [];
    if (marked !== '' && how === 'run') throw new Error(`"${marked}" is no way of testing a block.`);
    if (language === 'text' && marked === '') return [];
    return {
      language,
      code,
      line: markdown.slice(0, index + whole.indexOf(code)).split('\n').length,
      file: language === 'ts' ? /^\/\/ (\S+\.\w+)\n/.exec(code)?.[1] : undefined,
      prints: follows ? next.match[3] : undefined,
      how: how as Block['how'],
      note,
    };
  });
}

export const readPage = (page: string): string => readFileSync(join(root, page), 'utf8');

/** A folder in which the programs and commands of a page are run. */
export interface Place {
  readonly path: string;
  write(name: string, text: string): void;
  /** Runs a TypeScript program in a process of its own. @returns what it printed @throws when it fails, with its error */
  program(file: string, args?: readonly string[]): string;
  /** Runs `flipgrad`. @param words its arguments @returns what it printed @throws when it fails, with its error */
  flipgrad(words: readonly string[]): Promise<string>;
  remove(): void;
}

/** In the repository: `flipgrad` is its source there, and `docs` has the examples. */
export class PageFolder implements Place {
  readonly path: string;

  constructor() {
    this.path = mkdtempSync(join(root, 'test', '.page-'));
    cpSync(join(root, 'docs'), join(this.path, 'docs'), {
      recursive: true,
      filter: (source) => !/\.(svg|png)$/.test(source) || source.includes('examples'),
    });
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.path, name)), { recursive: true });
    writeFileSync(join(this.path, name), text);
  }

  program(file: string, args: readonly string[] = []): string {
    return execFileSync(process.execPath, ['--conditions=flipgrad-source', file, ...args], {
      encoding: 'utf8',
      cwd: this.path,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async flipgrad(words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await runHere(await programFor(words), words);
    if (code !== 0)
      throw new Error(`\`flipgrad ${words.join(' ')}\` ended with ${code}: ${stderr}${stdout.slice(-2000)}`);
    return stdout;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What a command that takes minutes is given in a test. Numbers that the line has are made smaller, never larger. */
const SMALLER: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  train: { '--epochs': 1, '--threads': 2 },
  race: { '--budget': 20, '--points': 2, '--seeds': 1, '--examples': 100 },
  advise: { '--seconds': 4, '--seeds': 3 },
};

/** The words of a command with its numbers made smaller. */
export function smaller(words: readonly string[]): string[] {
  const left = [...words];
  const resumed = left.includes('--resume');
  for (const [flag, most] of Object.entries(SMALLER[words[0]] ?? {})) {
    const at = left.indexOf(flag);
    // A run that goes on has its settings; further epochs are one more.
    if (at >= 0) left[at + 1] = String(Math.min(most + Number(resumed), Number(left[at + 1])));
    else if (!resumed) left.push(flag, String(most));
  }
  return left;
}

/** A line of a shell block: its commands, each as words and the file that takes its output. */
export function commandsOf(line: string): { readonly words: string[]; readonly to: string | undefined }[] {
  const commands: { words: string[]; to: string | undefined }[] = [{ words: [], to: undefined }];
  let into = false;
  for (const part of parse(line)) {
    const last = commands[commands.length - 1];
    if (typeof part === 'string') {
      if (into) last.to = part;
      else last.words.push(part);
      into = false;
    } else if ('comment' in part) break;
    else if ('op' in part && part.op === '>') into = true;
    else if ('op' in part && part.op === '&&') commands.push({ words: [], to: undefined });
    else if ('op' in part && part.op === 'glob') last.words.push(part.pattern);
    else throw new Error(`${JSON.stringify(part)} of "${line}" cannot be run here.`);
  }
  return commands.filter(({ words }) => words.length > 0);
}

/** The words of `flipgrad` that a command line means, however it is written. */
function flipgradWords(words: readonly string[]): string[] | undefined {
  const text = words.join('\0');
  for (const prefix of ['npm\0run\0-s\0flipgrad\0--\0', 'npx\0flipgrad\0', 'flipgrad\0'])
    if (text.startsWith(prefix)) return text.slice(prefix.length).split('\0');
  return undefined;
}

async function runLine(line: string, folder: Place): Promise<string> {
  let printed = '';
  for (const { words, to } of commandsOf(line)) {
    const own = flipgradWords(words);
    if (own) {
      const stdout = await folder.flipgrad(smaller(own));
      printed += stdout;
      if (to !== undefined) folder.write(to, stdout);
    } else if (words[0] === 'node' || (words[0] === 'npx' && words[1] === 'node'))
      printed += folder.program(words[words.indexOf('node') + 1], words.slice(words.indexOf('node') + 2));
    else throw new Error(`Nothing runs "${words.join(' ')}". Expected flipgrad or node, or a block that is marked.`);
  }
  return printed;
}

/** What a block printed. */
export interface Ran {
  readonly block: Block;
  readonly printed: string;
}

const RUNS: Readonly<Record<string, (block: Block, folder: Place, number: number) => Promise<string>>> = {
  async ts({ code, file }, folder, number) {
    const name = file ?? `program-${number}.ts`;
    folder.write(name, code);
    // A file is there for the commands after it.
    return file === undefined ? folder.program(name) : '';
  },
  async sh({ code, prints }, folder) {
    const kept = process.stdout.isTTY;
    const here = process.cwd();
    process.chdir(folder.path);
    if (prints !== undefined) process.stdout.isTTY = true; // tables, as the page shows them
    try {
      let printed = '';
      for (const line of code.replaceAll('\\\n', ' ').split('\n'))
        if (line.trim() !== '') printed += await runLine(line, folder);
      return printed;
    } finally {
      process.stdout.isTTY = kept;
      process.chdir(here);
    }
  },
};

/** Runs the blocks of a page one after another in one folder, which is removed. @param slow those that are marked so, too */
export async function runPage(
  page: string,
  { slow }: { readonly slow: boolean },
  folder: Place = new PageFolder(),
): Promise<Ran[]> {
  const ran: Ran[] = [];
  try {
    for (const [number, block] of blocksOf(readPage(page)).entries()) {
      const run = RUNS[block.language];
      if (block.file === undefined && (block.how === 'elsewhere' || block.how === 'not run')) continue;
      if (block.file === undefined && block.how === 'slow' && !slow) continue;
      if (!run) throw new Error(`${page}:${block.line}: nothing runs "${block.language}". Expected ts, sh or a mark.`);
      try {
        ran.push({ block, printed: await run(block, folder, number) });
      } catch (error) {
        throw new Error(`${page}:${block.line}: ${(error as Error).message}`, { cause: error });
      }
    }
  } finally {
    folder.remove();
  }
  return ran;
}
