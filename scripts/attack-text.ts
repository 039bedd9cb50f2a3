/** What `npm run attack -- --write` found. */
export interface AttackRecord {
  readonly date: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly mutants: number;
  readonly outcomes: readonly {
    readonly name: string;
    readonly attacks: number;
    readonly found: string;
    readonly seconds: number;
  }[];
}

const BEGIN = '<!-- counts of results/attack.json -->';
const END = '<!-- end -->';

/** The page with the counts of a record between its marks. */
export function withCounts(page: string, { date, versions, seed, outcomes }: AttackRecord): string {
  const [before, rest] = page.split(BEGIN);
  const rows = outcomes.map(({ name, attacks, found }) => `| ${name} | ${attacks} | ${found} |`);
  const all = outcomes.reduce((sum, { attacks }) => sum + attacks, 0);
  const table = [
    `| \`npm run attack\`, ${date.slice(0, 10)}, seed ${seed}, Node ${versions.node} | attacks | what became of them |`,
    '|---|---:|---|',
    ...rows,
    `| all | ${all} | none succeeded |`,
  ].join('\n');
  return `${before}${BEGIN}\n${table}\n${END}${rest.split(END)[1]}`;
}
