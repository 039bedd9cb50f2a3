import { availableParallelism } from 'node:os';
import { type Verdict, worstOf } from '../src/index.ts';
import { AuditBox, BoxError } from './audit-box.ts';
import { type AuditRow, type MeasureFlags, unmeasured } from './audit-row.ts';
import { UsageError } from './exit.ts';
import { duration, terminalProgress } from './progress.ts';

/** How neurons are judged. */
export interface JudgeFlags extends MeasureFlags {
  readonly limit: number;
}

/** Threads that judge side by side. */
const THREADS = Math.max(1, Math.min(4, availableParallelism()));

/** Judges every neuron that is asked for, in threads of their own. */
export async function judged(
  files: readonly string[],
  texts: readonly string[],
  flags: JudgeFlags,
  signal: AbortSignal,
): Promise<{ rows: AuditRow[]; clear: () => void; print: (line: string) => void }> {
  const progress = terminalProgress();
  const start = performance.now();
  const rows: AuditRow[] = [];
  const digests = new Map<string, string>();
  const queue = [...texts];
  const work = async (): Promise<void> => {
    const box = new AuditBox(files, flags.limit);
    try {
      for (let text = queue.shift(); text !== undefined; text = queue.shift()) {
        const done = rows.length;
        const left =
          done === 0 ? [] : [`${duration(((performance.now() - start) / 1000 / done) * (texts.length - done))} left`];
        progress.draw('auditing', done / texts.length, [`${done + 1} of ${texts.length}`, text, ...left]);
        rows.push(await judgedIn(box, text, flags, digests, signal));
      }
    } finally {
      await box.close();
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(THREADS, texts.length) }, work));
    if (files.length > 0) await compareWithFresh(files, flags, rows, digests, signal);
  } finally {
    progress.clear();
  }
  return { rows, clear: () => progress.clear(), print: (line) => progress.print(line) };
}

async function judgedIn(
  box: AuditBox,
  text: string,
  flags: JudgeFlags,
  digests: Map<string, string>,
  signal: AbortSignal,
): Promise<AuditRow> {
  const { problem, units, evaluations, samples, seed, thorough } = flags;
  try {
    const asked = { problem, units, evaluations, samples, seed, thorough: thorough ?? false };
    const reply = await box.ask({ kind: 'audit', text, flags: asked }, signal);
    if (reply.kind !== 'audit') throw new Error(`The judge answered ${reply.kind} to an audit.`);
    if (reply.digest !== '') digests.set(text, reply.digest);
    return { neuron: text, ...(reply.row ?? unmeasured(text, problem)), verdicts: reply.verdicts };
  } catch (error) {
    if (!(error instanceof BoxError)) throw error;
    const verdict = { claim: 'runs to its end', verdict: 'refuted', evidence: error.message } as const;
    return { neuron: text, ...unmeasured(text, problem), verdicts: [verdict] };
  }
}

/** Another thread, and the neurons in another order: what they make of the same input has to be the same. */
async function compareWithFresh(
  files: readonly string[],
  flags: JudgeFlags,
  rows: AuditRow[],
  digests: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const box = new AuditBox(files, flags.limit);
  try {
    for (const [text, digest] of [...digests].reverse()) {
      const told = await box.ask({ kind: 'digest', text }, signal).then(
        (reply) =>
          reply.kind === 'digest' && reply.digest === digest
            ? undefined
            : 'the same passes give another output in a fresh thread',
        (error: Error) => {
          if (error instanceof BoxError) return error.message;
          throw error;
        },
      );
      if (told === undefined) continue;
      const evidence = `${told}; expected that it depends on its input alone`;
      const at = rows.findIndex(({ neuron }) => neuron === text);
      const verdict: Verdict = { claim: 'same input, same output', verdict: 'refuted', evidence };
      rows[at] = { ...rows[at], verdicts: worstOf([...rows[at].verdicts, verdict]) };
    }
  } finally {
    await box.close();
  }
}

/**
 * The texts that ask for the neurons that files export, read in a process of their own.
 * @param limit seconds that one call may take
 * @throws UsageError for a file that does not end, or takes the process with it
 */
export async function listed(files: readonly string[], limit: number, signal: AbortSignal): Promise<string[]> {
  const box = new AuditBox(files, limit);
  try {
    const reply = await box.ask({ kind: 'list' }, signal);
    return reply.kind === 'list' ? [...reply.texts] : [];
  } catch (error) {
    if (error instanceof BoxError)
      throw new UsageError(
        `${files.join(', ')} cannot be read: ${error.message}. Expected a file that exports a neuron, and ends.`,
      );
    throw error;
  } finally {
    await box.close();
  }
}
