/** Decisions are dated records, one each, and the page that lists them has all. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { describe, it } from 'node:test';
import { linksOf } from '../helpers/markdown.ts';
import { readPage, root } from '../helpers/page.ts';

const records = globSync('{decisions,notes}/*.md', { cwd: `${root}/docs` }).map((file) => file.replaceAll('\\', '/'));

describe('decisions', () => {
  it('docs/decisions.md lists every record once, by its own title and date', () => {
    const page = readPage('docs/decisions.md');
    const listed = linksOf(page)
      .map(({ target }) => target)
      .filter((target) => /^(decisions|notes)\//.test(target));
    assert.deepEqual(listed.toSorted(), records.toSorted());
    for (const file of records) {
      const [, title] = /^# (.+)\n/.exec(readPage(`docs/${file}`)) ?? assert.fail(file);
      const [, date] = /\/(\d{4}-\d\d-\d\d)-/.exec(file) ?? assert.fail(file);
      assert.ok(page.includes(`| ${date} | [${title}](${file}) |`), file);
    }
  });

  it('a record has a title, its date, where it belongs, and what was decided', () => {
    for (const file of records)
      assert.match(readPage(`docs/${file}`), /^# .+\n\n\d{4}-\d\d-\d\d, [\w ,]+\n\n\S[\s\S]{60,}\n$/, file);
  });
});
