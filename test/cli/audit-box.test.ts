import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { full } from '../helpers/extent.ts';
import { runCliHere } from '../helpers/run-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'flipgrad-box-'));
after(() => rmSync(folder, { recursive: true }));

/** A file of neurons of one unit without noise, h = σ(a), whose pullbacks are as given. */
function fileOf(name: string, pullbacks: Readonly<Record<string, string>>): string {
  const path = join(folder, name);
  const neurons = Object.entries(pullbacks).map(
    ([neuron, body], i) => `
      export const n${i} = {
        name: '${neuron}', source: 'this test', summary: 'h = σ(a); ĝ = δσ′', options: {},
        rule: () => ({
          noise: 0, reads: 'cotangent', range: 'unit-interval', claims: { unbiased: true }, expect: s, whenOpen: s, formulas: 'none',
          fire({ logits, h }) { for (let i = 0; i < h.length; i++) h[i] = Number.isFinite(logits[i]) ? s(logits[i]) : NaN; },
          pullback({ h, dh, gradient }) { for (let i = 0; i < h.length; i++) gradient[i] = dh[i] * h[i] * (1 - h[i]); ${body} },
        }),
      };`,
  );
  writeFileSync(path, `const s = (a) => 1 / (1 + Math.exp(-a));\n${neurons.join('\n')}`);
  return path;
}

interface Line {
  readonly neuron: string;
  readonly verdicts: { claim: string; verdict: string; evidence: string }[];
}

describe('the audit of a file of one’s own', () => {
  it('refutes what never ends, throws, ends the process or reads chance or a clock, and judges the others', async () => {
    const file = fileOf('broken.mjs', {
      // An endless loop is the same to the audit, and takes a core meanwhile.
      endless: full ? 'for (;;);' : 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
      throws: "throw new Error('a reason');",
      exits: 'process.exit(0);',
      chance: 'if (h.length > 3 && Math.random() < 0) gradient[0] = 0;',
      clock: 'if (Date.now() < 0) gradient[0] = 0;',
      'clock of a date': 'if (new (new Date(0).constructor)() < 0) gradient[0] = 0;',
      'clock of the process': 'if (process.hrtime.bigint() < 0n) gradient[0] = 0;',
      environment: 'if (process.env.NOTHING_OF_THIS) gradient[0] = 0;',
      files: "if (!process.getBuiltinModule('node:fs').existsSync('/')) gradient[0] = 0;",
      context: "if (process.getBuiltinModule('node:vm').runInNewContext('Math.random()') < 0) gradient[0] = 0;",
      honest: '',
    });
    const { code, stdout, stderr } = await runCliHere(['audit', file, '--limit', '12']);
    assert.equal(code, 1, stderr);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    const refuted = (neuron: string): string =>
      lines
        .find((line) => line.neuron === neuron)
        ?.verdicts.filter(({ verdict }) => verdict === 'refuted')
        .map(({ evidence }) => evidence)
        .join('; ') ?? 'not judged';
    assert.match(refuted('endless'), /has not come back in 12 s/);
    assert.match(refuted('throws'), /it threw: a reason/);
    assert.match(refuted('exits'), /ends the process/);
    assert.match(refuted('chance'), /reads Math\.random/);
    assert.match(refuted('clock'), /reads Date\.now/);
    assert.match(refuted('clock of a date'), /reads Date/);
    assert.match(refuted('clock of the process'), /reads process\.hrtime\.bigint/);
    assert.match(refuted('environment'), /reads process\.env/);
    assert.match(refuted('files'), /reads fs\.existsSync/);
    assert.match(refuted('context'), /reads vm\.runInNewContext/);
    assert.equal(refuted('honest'), '');
  });

  it('writes a certificate that verify judges again, and refuses when the source changed', async () => {
    const file = fileOf('mine.mjs', { mine: '' });
    const out = join(folder, 'deep/cert.json');
    assert.equal((await runCliHere(['audit', file, '--out', out, '--seed', '5'])).code, 0);
    const certificate = JSON.parse(readFileSync(out, 'utf8'));
    assert.equal(certificate.asked.seed, 5);
    assert.match(certificate.sources[0].sha256, /^[0-9a-f]{64}$/);
    const verified = await runCliHere(['verify', out]);
    assert.equal(verified.code, 0, verified.stdout);
    assert.match(verified.stdout, /Verified: 1 neuron,/);
    certificate.neurons[0].verdicts[0].verdict = 'refuted';
    writeFileSync(out, JSON.stringify(certificate));
    if (full) assert.equal((await runCliHere(['verify', out])).code, 1);
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n// changed`);
    const changed = await runCliHere(['verify', out]);
    assert.equal(changed.code, 1);
    assert.match(changed.stdout, /mine\.mjs changed since/);
    writeFileSync(out, '{}');
    const none = await runCliHere(['verify', out]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /is no certificate; expected one of/);
  });
});
