/** The programs and command lines of docs/certify.md. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { auditCommand } from '../../cli/audit.ts';
import { verifyCommand } from '../../cli/verify.ts';
import { slow } from '../helpers/extent.ts';
import { blocksOf, readPage } from '../helpers/page.ts';
import { refused } from '../helpers/refused.ts';
import { runCliHere, runHere } from '../helpers/run-here.ts';

const page = readPage('docs/certify.md');
const folder = mkdtempSync(join(tmpdir(), 'flipgrad-certify-'));
after(() => rmSync(folder, { recursive: true }));
const path = (name: string): string => join(folder, name);
for (const { file, code } of blocksOf(page)) if (file !== undefined) writeFileSync(path(file), code);
/** The words of every command line of the page, files in the folder. */
const lines = [...page.matchAll(/^npm run -s flipgrad -- (.*)$/gm)].map(([, line]) =>
  line.split(' ').map((word) => (/\.(ts|json)$/.test(word) ? path(word) : word)),
);
const commands = { audit: auditCommand, verify: verifyCommand } as const;

interface Row {
  readonly event: string;
  readonly neuron: string;
  readonly method: string;
  readonly states: number;
  readonly bits: number;
  readonly parameters: readonly {
    readonly name: string;
    readonly truth: readonly number[];
    readonly bias: { least: number };
  }[];
  readonly verdicts: readonly { readonly claim: string; readonly verdict: string; readonly evidence: string }[];
}
const rowsOf = (stdout: string): Row[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
    .filter(({ event }) => event === 'program');

describe('docs/certify.md', () => {
  it('its command lines audit a network and a function, and verify the certificate', { skip: slow }, async () => {
    const outputs: string[] = [];
    for (const [name, ...args] of lines) {
      const { code, stdout, stderr } = await runHere(commands[name as keyof typeof commands](), args);
      assert.equal(code, 0, `${name} ${args.join(' ')}: ${stderr}${stdout}`);
      outputs.push(stdout);
    }
    assert.equal(outputs.length, 4);
    const [network, verified, walk, replaced] = outputs;
    assert.match(verified, /^Verified: 2 programs, every verdict as certified/);
    const [disarm, through] = rowsOf(network);
    for (const row of [disarm, through]) {
      assert.deepEqual([row.method, row.states, row.bits], ['enumeration', 64, 6]);
      assert.ok(row.parameters.length >= 6 && row.parameters.some(({ name }) => name.startsWith('residual1')));
    }
    assert.deepEqual([disarm.verdicts[0].claim, disarm.verdicts[0].verdict], ['unbiased', 'holds']);
    assert.deepEqual([through.verdicts[0].claim, through.verdicts[0].verdict], ['biased', 'holds']);
    assert.ok(through.parameters.some(({ bias }) => bias.least > 0));
    const [own, other] = [rowsOf(walk)[0], rowsOf(replaced)[0]];
    for (const { states, verdicts } of [own, other]) assert.deepEqual([states, verdicts[0].verdict], [16, 'holds']);
    assert.deepEqual(
      own.parameters.map(({ truth }) => truth),
      other.parameters.map(({ truth }) => truth),
    );
  });

  it('a neuron that lies in a program is refuted with exit code 1; a changed certificate is not verified', async () => {
    writeFileSync(
      path('lies.ts'),
      `import { resolveNeuron } from 'flipgrad';
      import { fire, square, subtract, sum } from 'flipgrad/tensor';
      const { claims } = resolveNeuron('disarm');
      const liar = { ...resolveNeuron('straight-through'), name: 'liar', claims };
      export const net = { values: { a: [0.3, -0.6] }, loss: ({ a }) => square(subtract(sum(fire(liar, a)), [0.3])) };`,
    );
    const out = path('lies.json');
    const { code, stdout } = await runCliHere(['audit', '--net', `${path('lies.ts')}#net`, '--out', out]);
    assert.equal(code, 1);
    assert.match(rowsOf(stdout)[0].verdicts[0].evidence, /is off ∂E\[loss\] at 2 of 2 numbers of 1 parameter;/);
    const certificate = JSON.parse(readFileSync(out, 'utf8'));
    assert.equal(certificate.neurons[0].verdicts[0].verdict, 'refuted');
    assert.match((await runHere(verifyCommand(), [out])).stdout, /^Verified: 1 program,/);
    certificate.neurons[0].verdicts[0].verdict = 'holds';
    writeFileSync(out, JSON.stringify(certificate));
    const verified = await runCliHere(['verify', out]);
    assert.equal(verified.code, 1);
    assert.match(verified.stdout, /certified "holds", now "refuted"/);
  });

  it('says what cannot be enumerated, and draws what is too large', async () => {
    writeFileSync(path('noisy.ts'), "import { dense } from 'flipgrad';\nexport default dense(3, 'noisy-rectifier');");
    const { code, stderr } = await refused(auditCommand(), ['--net', path('noisy.ts')]);
    assert.equal(code, 2);
    assert.match(stderr, /"noisy-rectifier" in "dense0" is no bit .* Expected neurons of bits, or without noise/);
    const args = ['--net', path('small.ts'), '--neuron', 'rloo', '--examples', '3', '--samples', '300'];
    const large = await runHere(auditCommand(), args);
    assert.equal(large.code, 0, large.stdout);
    const [{ method, bits, verdicts }] = rowsOf(large.stdout);
    assert.deepEqual([method, bits, verdicts[0].verdict], ['sampling', 18, 'holds']);
  });
});
