import type { Experiment, Finding, Finished, FormName, Report } from './experiment.ts';

/** What the grid was. */
export interface ReportFacts {
  readonly form: FormName;
  readonly seeds: number;
  /** Of all trials, whenever they ran. */
  readonly seconds: number;
  /** Trials without a result, and why where that is known. */
  readonly missing?: number;
  readonly why?: readonly string[];
  /** What the trials ran with. */
  readonly commits: readonly string[];
  readonly engines: readonly string[];
  /** Files of the charts, beside the page; absent: none were written. */
  readonly charts?: readonly string[];
  /** The form was another one when these trials ran: until when, and what differs. */
  readonly earlier?: { readonly until: string; readonly differs: string };
}

/** What a report says of the trials that it is made from, beside what they found. */
export const factsOf = (
  finished: readonly Finished<unknown, unknown>[],
  rest: Omit<ReportFacts, 'seconds' | 'commits' | 'engines'>,
): ReportFacts => ({
  ...rest,
  seconds: finished.reduce((sum, { seconds }) => sum + seconds, 0),
  commits: distinct(finished.map(({ commit }) => commit)),
  engines: distinct(finished.map(({ result }) => (result as { engine?: string }).engine)),
});

const distinct = (values: readonly (string | undefined)[]): string[] => [
  ...new Set(values.filter((value) => value !== undefined)),
];

type Stated = Pick<Experiment, 'name' | 'title' | 'question' | 'claim' | 'setting'>;

const command = ({ name }: Stated, { form, seeds }: ReportFacts): string =>
  `flipgrad reproduce ${name}${form === 'full' ? '' : ` --${form}`} --seeds ${seeds}`;
const cost = ({ seconds, commits, engines }: ReportFacts): string => {
  const [of, by] = [commits.map((commit) => commit.replace(/^(\w{10})\w*/, '$1')), engines].map((all) =>
    all.join(', '),
  );
  return `${(seconds / 60).toFixed(1)} minutes of trials${by && `; ${by}`}${of && `; commit ${of}`}`;
};
const formText = ({ form, missing = 0, why = [], earlier }: ReportFacts): string =>
  [
    earlier && `Earlier protocol, until ${earlier.until}: ${earlier.differs}`,
    form === 'quick' && 'This is the quick form: it shows how the experiment works.',
    form === 'medium' && 'This is the medium form: fewer networks and one budget.',
    missing > 0 && `Trials without a result: ${missing}${why.length > 0 ? ` (${why.join('; ')})` : ''}.`,
  ]
    .filter(Boolean)
    .join(' ');

/** What is decided by chance among the claims; nothing for one. */
export function chanceOf(findings: readonly Finding[]): string {
  const tested = findings.filter(({ outcome }) => outcome !== 'not tested').length;
  if (tested < 2) return '';
  return `${tested} claims are tested here. Claims of one family are corrected together (by Holm, or by Tukey where all pairs are compared): in a family without any effect, chance decides a claim at most once in 20 times. A level or a published figure has its own 95% interval.`;
}

/** The claim, in quotation marks where the words are its author's. */
export const claimed = ({ text, verbatim }: Experiment['claim']): string => (verbatim ? `“${text}”` : text);

/** A sentence begins with a capital. */
export const sentence = (text: string): string => text.replace(/^\p{Ll}/u, (first) => first.toUpperCase());

/** A part of a Markdown page that is folded away until it is asked for. */
export const folded = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`<details><summary>${escaped(title)}</summary>`, '', ...lines, '</details>', ''];

/** The verdict and what would change it. */
export const answered = ({ answer }: Report): string[] =>
  answer ? [`**${answer.verdict}**`, '', `What would change it: ${answer.change}`, ''] : [];

/** The report as Markdown: question, chart, verdict; all else is folded away. */
export function renderMarkdown(experiment: Stated, report: Report, facts: ReportFacts): string {
  const { title, question, claim, setting } = experiment;
  const { findings, learnt, tables } = report;
  const pictures = (facts.charts ?? []).map((file) => `![${title}](${file})`);
  const paragraphs = [formText(facts), question, `Claimed: ${claimed(claim)} (${claim.source}). ${claim.published}`];
  return [
    `# ${title}`,
    '',
    ...paragraphs.filter(Boolean).flatMap((text) => [text, '']),
    ...pictures.slice(0, 1).flatMap((picture) => [picture, '']),
    ...answered(report),
    ...(learnt.length > 0 ? ['## What was learnt', '', ...learnt.map((text) => `- ${text}`), ''] : []),
    '## Claims, tables and setting',
    '',
    ...folded(`The ${findings.length} claims, one by one`, [
      ...findings.map((finding) => `- **${finding.outcome}**: ${finding.claim}. ${sentence(finding.evidence)}`),
      '',
      ...[chanceOf(findings)].filter(Boolean).flatMap((text) => [text, '']),
    ]),
    ...folded(
      'More charts',
      pictures.slice(1).flatMap((picture) => [picture, '']),
    ),
    ...tables.flatMap(({ title: name, head, rows }) =>
      folded(`Table: ${name}`, [
        `| ${head.join(' | ')} |`,
        `|${head.map((_, i) => (i === 0 ? '---|' : '---:|')).join('')}`,
        ...rows.map((row) => `| ${row.join(' | ')} |`),
        '',
      ]),
    ),
    ...folded('Setting', [setting, '', `Made by \`${command(experiment, facts)}\`; ${cost(facts)}.`, '']),
  ].join('\n');
}

/** Charts are drawn for a white page; where the reader's is dark, their inks are turned by attribute, blues and greys lightened. */
const STYLE = `:root{color-scheme:light dark;--page:#fff;--ink:#222;--soft:#555;--line:#ddd;--good:#00664b;--bad:#a63c00}
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:1.5rem auto;padding:0 1rem;color:var(--ink);background:var(--page);overflow-wrap:break-word}
h1{line-height:1.2}blockquote{margin:1rem 0;padding-left:1rem;border-left:3px solid var(--line)}small,.soft{color:var(--soft)}
p,ul,blockquote{max-width:52rem}.verdict{font-size:1.2rem;font-weight:600;line-height:1.35}details{margin:.6rem 0}summary{cursor:pointer}li{margin:.4rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
td,th{padding:.2rem .7rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:bottom}
td{white-space:nowrap}th{min-width:4rem}td:first-child,th:first-child{text-align:left}
.wide{overflow-x:auto;margin:1rem 0}.wide svg{display:block;box-sizing:border-box;width:100%;min-width:40rem;height:auto;border:1px solid var(--line);border-radius:6px}
.holds{color:var(--good)}.refuted{color:var(--bad)}
@media(prefers-color-scheme:dark){:root{--page:#16181b;--ink:#e4e4e4;--soft:#a5a5a5;--line:#3a3d42;--good:#3fc79a;--bad:#ff9a62}
svg{fill:#e4e4e4}svg>rect{fill:#1d2024}svg [fill="#555"],svg [fill="#555555"]{fill:#b0b0b0}svg [fill="#000000"]{fill:#fff}
svg [stroke="#eee"]{stroke:#33373c}svg [stroke="#bbb"]{stroke:#666}svg [stroke="#555555"]{stroke:#b0b0b0}svg [stroke="#000000"]{stroke:#fff}
svg [fill="#0072b2"]{fill:#4da6e0}svg [stroke="#0072b2"]{stroke:#4da6e0}}
@media print{.wide{overflow:visible}.wide svg{min-width:0}}`;

/** The report as one HTML file that needs no other: style and charts stand in it. */
export function renderPage(experiment: Stated, report: Report, facts: ReportFacts): string {
  const { title, question, claim, setting } = experiment;
  const { answer, findings, learnt, tables, charts } = report;
  const list = findings.map(
    ({ claim: text, outcome, evidence }) =>
      `<li><strong class="${outcome.replace(' ', '-')}">${outcome}</strong>: ${escaped(text)}. ${escaped(sentence(evidence))}</li>`,
  );
  const paragraph = (text: string, kind = ''): string => text && `<p${kind && ` class="${kind}"`}>${escaped(text)}</p>`;
  const fold = (name: string, content: string): string =>
    content && `<details><summary>${escaped(name)}</summary>${content}</details>`;
  const drawn = charts.map((chart) => `<div class="wide">${chart}</div>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title>
<style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1>
${paragraph(formText(facts), 'soft')}
${paragraph(question)}
<blockquote>${escaped(claimed(claim))}<br><small>${escaped(claim.source)}</small></blockquote>
<p>${escaped(claim.published)}</p>
${drawn[0] ?? ''}
${answer ? `${paragraph(answer.verdict, 'verdict')}${paragraph(`What would change it: ${answer.change}`)}` : ''}
${learnt.length > 0 ? `<h2>What was learnt</h2><ul>${learnt.map((text) => `<li>${escaped(text)}</li>`).join('')}</ul>` : ''}
<h2>Claims, tables and setting</h2>
${fold(`The ${findings.length} claims, one by one`, `<ul>${list.join('')}</ul>${paragraph(chanceOf(findings), 'soft')}`)}
${fold('More charts', drawn.slice(1).join('\n'))}
${tables.map((table) => fold(`Table: ${table.title}`, renderTable(table))).join('\n')}
${fold('Setting', `${paragraph(setting)}<p class="soft"><code>${escaped(command(experiment, facts))}</code>; ${escaped(cost(facts))}.</p>`)}
</body></html>
`;
}

function renderTable({ head, rows }: Report['tables'][number]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  const body = rows.map((row) => line(row, 'td')).join('');
  return `<div class="wide"><table>${line(head, 'th')}${body}</table></div>`;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
