/**
 * Renders every table from its records: the pages of results/, and the marked regions of README.md and of docs.
 *
 *     npm run results
 *
 * A test fails when a committed page is not what its records say.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { renderClaims } from '../bench/claims.ts';
import { readBenchRecords, renderBench } from '../bench/records.ts';
import { drawAudit, readAuditRecords, renderAudit } from '../cli/audit-page.ts';
import { readCertificate } from '../cli/certificate.ts';
import { renderFrontDoor } from '../experiments/conditional-speed/report.ts';
import { conditionalSpeed } from '../experiments/conditional-speed/run.ts';
import { readRecords, renderTable } from '../experiments/mnist-2013/report.ts';
import { readNeuronRecords, renderNeurons } from '../experiments/mnist-neurons/report.ts';
import { drawVaeEqualTime, readVaeRecords, renderVaeEqualTime } from '../experiments/vae-equal-time/report.ts';
import { drawVaeVariance, readVarianceRecords, renderVaeVariance } from '../experiments/vae-variance/report.ts';
import { renderArticle } from './render-article.ts';
import { finishedOf, renderFindings } from './render-findings.ts';

const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

const audit = () => readAuditRecords(readFileSync(here('results/audit.jsonl'), 'utf8'));
const certified = (): string[] =>
  readCertificate(here('results/certificates.json')).neurons.map(({ neuron }) => neuron);
const bench = (): string => renderBench(readBenchRecords());
const neurons = (): string => renderNeurons(readNeuronRecords());
const mnist2013 = (): string => renderTable(readRecords());

/** Pages and curves of the discrete VAE, where there are records. */
function vae(): [string, string][] {
  const [race, variances] = [readVaeRecords(), readVarianceRecords()];
  const pages: [string, string][] = [];
  if (race.length > 0)
    pages.push(
      ['results/vae-equal-time.md', renderVaeEqualTime(race)],
      ['results/vae-equal-time.svg', drawVaeEqualTime(race)],
    );
  if (variances.length > 0)
    pages.push(
      ['results/vae-variance.md', renderVaeVariance(variances)],
      ['results/vae-variance.svg', drawVaeVariance(variances)],
    );
  return pages;
}

/** A page without its title. */
const body = (page: string): string => page.replace(/^# .*\n+/, '').trim();

/** A page whose table keeps only the rows that are wanted; the page it comes from has all. */
function someRows(page: string, wanted: (row: string, index: number) => boolean): string {
  const lines = page.trim().split('\n');
  const first = lines.findIndex((line) => /^\| *-/.test(line)) + 1;
  return lines.filter((line, i) => i < first || !line.startsWith('|') || wanted(line, i - first)).join('\n');
}

/** Marked regions: the first rows, or those that most people look for. */
const REGIONS: Readonly<Record<string, () => string>> = {
  'mnist-neurons': () => someRows(body(neurons()), (row) => row.includes('| gates |')),
  gates: () => renderFrontDoor(finishedOf(conditionalSpeed)),
  audit: () => someRows(renderAudit(audit(), certified(), true), (_, i) => i < 12),
  bench: () => someRows(renderClaims(readBenchRecords()), (row) => !row.includes('| auto policy')),
};

/** Pages that have regions. */
const WITH_REGIONS = ['README.md', 'docs/choosing.md', 'docs/measured.md'];

/** Every rendered file, by path from the root. */
export function renderResults(): ReadonlyMap<string, string> {
  return new Map([
    ['results/mnist-2013.md', mnist2013()],
    ['results/mnist-neurons.md', neurons()],
    [
      'results/audit.md',
      `# What the gradients of neurons are worth\n\nMade by \`flipgrad audit --json\` from \`audit.jsonl\`.\n\n${renderAudit(audit(), certified(), false)}`,
    ],
    ['results/audit.svg', drawAudit(audit())],
    ...renderFindings(),
    ['lab/src/article/records.json', renderArticle()],
    ...vae(),
    [
      'results/bench.md',
      `# Speed against the peers\n\nMade by \`npm run bench\` from \`bench.jsonl\`.\n\n${renderClaims(readBenchRecords())}\n${bench()}`,
    ],
    ...WITH_REGIONS.map((page): [string, string] => [page, renderRegions(readFileSync(here(page), 'utf8'))]),
  ]);
}

/** Replaces what stands between `<!-- results:NAME -->` and `<!-- /results -->`. */
export function renderRegions(text: string): string {
  return text.replace(/<!-- results:(\S+) -->\n[\s\S]*?<!-- \/results -->/g, (_, name: string) => {
    const render = REGIONS[name];
    if (!render) throw new Error(`There is a region "${name}" that nothing renders.`);
    return `<!-- results:${name} -->\n${render()}\n<!-- /results -->`;
  });
}

if (import.meta.main)
  for (const [path, text] of renderResults())
    if (!existsSync(here(path)) || readFileSync(here(path), 'utf8') !== text) {
      writeFileSync(here(path), text);
      console.error(`rendered ${path}`);
    }
