import type { Experiment, Report } from './experiment.ts';

/** What the grid was. */
export interface ReportFacts {
  readonly quick: boolean;
  readonly seeds: number;
  /** Of all cells, whenever they ran. */
  readonly seconds: number;
  /** What the cells ran with. */
  readonly commits: readonly string[];
  readonly engines: readonly string[];
}

type Stated = Pick<Experiment, 'name' | 'title' | 'claim' | 'setting'>;

const command = ({ name }: Stated, { quick, seeds }: ReportFacts): string =>
  `flipgrad reproduce ${name}${quick ? ' --quick' : ''} --seeds ${seeds}`;
const cost = ({ seconds, commits, engines }: ReportFacts): string => {
  const [of, by] = [commits.map((commit) => commit.replace(/^(\w{10})\w*/, '$1')), engines].map((all) =>
    all.join(', '),
  );
  return `${(seconds / 60).toFixed(1)} minutes of cells${by && `; ${by}`}${of && `; commit ${of}`}`;
};

/** The report as Markdown, without its charts. */
export function renderMarkdown(experiment: Stated, { findings, tables }: Report, facts: ReportFacts): string {
  const { title, claim, setting } = experiment;
  return [
    `# ${title}`,
    '',
    `Claimed: “${claim.text}” (${claim.source}). ${claim.published}`,
    '',
    setting,
    '',
    ...findings.map((finding) => `- **${finding.outcome}**: ${finding.claim}. ${finding.evidence}`),
    '',
    ...tables.flatMap(({ title: name, head, rows }) => [
      `## ${name}`,
      '',
      `| ${head.join(' | ')} |`,
      `|${head.map((_, i) => (i === 0 ? '---|' : '---:|')).join('')}`,
      ...rows.map((row) => `| ${row.join(' | ')} |`),
      '',
    ]),
    `Made by \`${command(experiment, facts)}\`; ${cost(facts)}.`,
    '',
  ].join('\n');
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}svg{max-width:100%;height:auto}.wide{overflow-x:auto}
.holds{color:#00664b}.refuted{color:#a63c00}`;

/** The report as one HTML file that needs no other: style and charts stand in it. */
export function renderPage(experiment: Stated, { findings, tables, charts }: Report, facts: ReportFacts): string {
  const { title, claim, setting } = experiment;
  const list = findings.map(
    ({ claim: text, outcome, evidence }) =>
      `<li><strong class="${outcome.replace(' ', '-')}">${outcome}</strong>: ${escaped(text)}. ${escaped(evidence)}</li>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>
<style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1>
<blockquote>${escaped(claim.text)}<br><small>${escaped(claim.source)}</small></blockquote>
<p>${escaped(claim.published)}</p><p>${escaped(setting)}</p>
<ul>${list.join('')}</ul>
${charts.join('\n')}
${tables.map(renderTable).join('\n')}
<p><code>${escaped(command(experiment, facts))}</code>; ${cost(facts)}.</p>
</body></html>
`;
}

function renderTable({ title, head, rows }: Report['tables'][number]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  const body = rows.map((row) => line(row, 'td')).join('');
  return `<h2>${escaped(title)}</h2><div class="wide"><table>${line(head, 'th')}${body}</table></div>`;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
