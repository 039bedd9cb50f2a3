import { affordable, epochOrder, type SiteAudit, SiteAuditor, siteOf, unitOf, type Variant } from '../src/index.ts';
import type { AuditFlags } from './audit.ts';
import { siteTable } from './audit-report.ts';
import { ExitCode } from './exit.ts';
import { print, printJson } from './output.ts';
import { duration, terminalProgress } from './progress.ts';
import { classesOfRun } from './run-folder.ts';
import { useRun } from './use-run.ts';
import { writeFile } from './write-file.ts';

/** Neurons that ask for more are left out unless they are named. */
const MOST_EVALUATIONS = 256;

/**
 * Audits neurons at a place of a trained network, on a minibatch of the data that it was trained on.
 * @param options.named did the user name the neurons? If not, those whose units are like the place's own are measured
 * @param options.signal stops it between two neurons: its reason is thrown
 */
export async function auditRun(
  folder: string,
  given: readonly Variant[],
  flags: AuditFlags,
  { named, signal }: { named: boolean; signal: AbortSignal },
): Promise<void> {
  const progress = terminalProgress();
  const start = performance.now();
  try {
    await useRun(folder, flags, async ({ run, model, code }) => {
      const { data } = run.record;
      const { task, split } = await classesOfRun(run, code, { dataDir: flags.dataDir }, flags.data);
      const site = siteOf(model, flags.site);
      const bits = unitOf(site.neuron) === 'bits';
      const alike = bits
        ? given.filter(({ neuron }) => unitOf(neuron) === 'bits' && affordable(neuron, site.units, MOST_EVALUATIONS))
        : [];
      const asked = named ? given : alike.length > 0 ? alike : [{ text: site.neuron.name, neuron: site.neuron }];
      const indices = epochOrder(split.train.count, flags.seed, 1).subarray(0, flags.rows);
      progress.draw('auditing', 0, [`${site.name}: the true gradient`]);
      const { repeats, evaluations } = flags;
      const auditor = new SiteAuditor(model, site, split.train, { indices, repeats, evaluations, task });
      const rows: SiteAudit[] = [];
      const begun = performance.now();
      for (const [i, { text, neuron }] of asked.entries()) {
        const left = i === 0 ? 0 : ((performance.now() - begun) / 1000 / i) * (asked.length - i);
        progress.draw('auditing', i / asked.length, [`${i + 1} of ${asked.length}`, text, `${duration(left)} left`]);
        await new Promise((next) => setTimeout(next, 0));
        signal.throwIfAborted();
        rows.push(auditor.audit(neuron, text));
      }
      progress.clear();
      rows.sort(
        (a, b) => Number(b.bias !== undefined) - Number(a.bias !== undefined) || a.atEqualCompute - b.atEqualCompute,
      );
      const where = `${site.units} units of ${site.name} in ${folder}, ${indices.length} examples of ${data.name}`;
      report(rows, flags, (performance.now() - start) / 1000, where);
      if (flags.plot !== undefined) {
        const { sitePoints, varianceChart } = await import('./audit-chart.ts');
        writeFile(flags.plot, varianceChart(sitePoints(rows), where));
        progress.print(`Wrote ${flags.plot}.`);
      }
    });
  } finally {
    progress.clear();
  }
}

function report(rows: readonly SiteAudit[], flags: AuditFlags, seconds: number, where: string): void {
  const refuted = rows.filter(({ verdict }) => verdict.verdict === 'refuted');
  if (refuted.length > 0) process.exitCode = ExitCode.refuted;
  if (flags.json ?? !process.stdout.isTTY) {
    const result = { event: 'result', neurons: rows.length, refuted: refuted.map(({ neuron }) => neuron), seconds };
    const lines = [...rows.map((row) => ({ event: 'neuron', ...row })), result];
    for (const line of lines) printJson(line);
    return;
  }
  const told = refuted.map(({ neuron, verdict }) => `REFUTED  ${neuron}, ${verdict.claim}: ${verdict.evidence}.\n`);
  print(
    `${siteTable(rows, where, flags.evaluations)}\n${told.join('')}${rows.length} neurons in ${duration(seconds)}.\n`,
  );
}
