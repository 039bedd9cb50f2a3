import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { Job } from 'kubernetes-models/batch/v1';
import { parse } from 'yaml';
import { UsageError } from '../../cli/exit.ts';
import { LAUNCHERS } from '../../cli/launchers.ts';

const FLAGS = { workers: 1000, threads: 2, checkpointEvery: 60, image: 'registry.example/flipgrad:1' };

describe('flipgrad sweep --print slurm', () => {
  const script = LAUNCHERS.slurm('my-sweep', FLAGS);
  const bash = (text: string, env: Record<string, string>) =>
    execFileSync('bash', ['-c', text], {
      env: { PATH: process.env.PATH ?? '', ...env },
      encoding: 'utf8',
      stdio: 'pipe',
    });

  it('is a script that bash can read, with an array of so many workers', () => {
    execFileSync('bash', ['-n'], { input: script });
    assert.match(script, /^#!\/bin\/bash\n/);
    assert.match(script, /^#SBATCH --array=1-1000$/m);
    assert.match(script, /^#SBATCH --cpus-per-task=2$/m);
  });

  it('starts a worker with the address from outside, and says when there is none', () => {
    const words = bash(script, {
      FLIPGRAD_DB: 'postgres://db/x',
      FLIPGRAD: 'echo',
      SLURM_TMPDIR: '/scratch',
      SLURM_JOB_ID: '7',
    });
    assert.equal(words, 'worker --sweep my-sweep --threads 2 --checkpoint-every 60 --folder /scratch/flipgrad-7\n');
    assert.throws(() => bash(script, { FLIPGRAD: 'echo' }), /FLIPGRAD_DB: is the address of a Postgres server/);
  });
});

describe('flipgrad sweep --print kubernetes', () => {
  const manifest = parse(LAUNCHERS.kubernetes('My_sweep.1', FLAGS));

  it("fits the schema of Kubernetes' own OpenAPI", () => {
    new Job(manifest).validate();
    // The schema is one that can say no.
    assert.throws(() => new Job({ ...manifest, spec: { ...manifest.spec, completions: 'many' } }).validate());
    assert.throws(() => new Job({ ...manifest, spec: { template: { spec: { containers: [{}] } } } }).validate());
  });

  it('is an Indexed Job of so many workers, with the address in a secret', () => {
    const { metadata, spec } = manifest;
    assert.equal(metadata.name, 'flipgrad-my-sweep-1');
    assert.deepEqual([spec.completionMode, spec.completions, spec.parallelism], ['Indexed', 1000, 1000]);
    const [container] = spec.template.spec.containers;
    assert.equal(container.image, FLAGS.image);
    assert.deepEqual(container.command.slice(0, 4), ['flipgrad', 'worker', '--sweep', 'My_sweep.1']);
    assert.equal(container.env[0].valueFrom.secretKeyRef.name, metadata.name);
    const named = spec.template.spec.volumes.map(({ name }: { name: string }) => name);
    assert.deepEqual(
      container.volumeMounts.map(({ name }: { name: string }) => name),
      named,
    );
  });

  it('wants an image and workers', () => {
    const { image, ...rest } = FLAGS;
    assert.throws(() => LAUNCHERS.kubernetes('x', rest), UsageError);
    for (const launcher of Object.values(LAUNCHERS))
      assert.throws(() => launcher('x', { ...FLAGS, workers: 0 }), /--workers N/);
  });
});
