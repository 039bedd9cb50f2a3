import { quote } from 'shell-quote';
import { UsageError } from './exit.ts';
import { ownWords } from './own-code.ts';

/** What a script or manifest is made of. */
export interface LaunchFlags {
  readonly workers: number;
  readonly threads?: number;
  readonly checkpointEvery: number;
  readonly image?: string;
  readonly net?: string;
  readonly use?: readonly string[];
}

/** What `--print` makes a text for. */
export type Launcher = 'slurm' | 'kubernetes';

/** Texts that start workers of a sweep, by what reads them. The database's address is never in them: it may hold a password. */
export const LAUNCHERS: Readonly<Record<Launcher, (sweep: string, flags: LaunchFlags) => string>> = {
  slurm,
  kubernetes,
};

/** An array of jobs, one a worker. A job gets a signal a minute before its time is up, and saves. */
function slurm(sweep: string, flags: LaunchFlags): string {
  const { workers, threads = 1, checkpointEvery } = flags;
  wantWorkers(workers);
  const code = ownWords(flags);
  return `#!/bin/bash
#SBATCH --job-name=flipgrad-${sweep}
#SBATCH --array=1-${workers}
#SBATCH --cpus-per-task=${threads}
#SBATCH --signal=B:TERM@60
#SBATCH --requeue
#SBATCH --output=flipgrad-${sweep}-%A_%a.log
# Workers of the sweep "${sweep}". Before: export FLIPGRAD_DB=postgres://user@host:5432/name
# and flipgrad sweep FILE.ts --db "$FLIPGRAD_DB" --workers 0. Then: sbatch this-file
set -euo pipefail
: "\${FLIPGRAD_DB:?is the address of a Postgres server, postgres://user@host:5432/name}"
# Runs lie on the node's own disk; their checkpoints are in the database.
exec "\${FLIPGRAD:-node_modules/.bin/flipgrad}" worker --sweep ${sweep} --threads ${threads} \\
  --checkpoint-every ${checkpointEvery} --folder "\${SLURM_TMPDIR:-\${TMPDIR:-/tmp}}/flipgrad-\${SLURM_JOB_ID:-0}"${code.length > 0 ? ` ${quote(code)}` : ''}
`;
}

/** An Indexed Job, one pod a worker. The address of the database is in a secret. */
function kubernetes(sweep: string, flags: LaunchFlags): string {
  const { workers, threads = 1, checkpointEvery, image } = flags;
  wantWorkers(workers);
  if (image === undefined)
    throw new UsageError(
      '--print kubernetes wants --image NAME: a container image that holds flipgrad, pg-boss and pg.',
    );
  const name = `flipgrad-${sweep.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-')}`.slice(0, 52).replace(/-+$/, '');
  const all = ['flipgrad', 'worker', '--sweep', sweep, '--threads', String(threads), '--folder', '/runs', '--json'];
  all.push('--checkpoint-every', String(checkpointEvery), ...ownWords(flags));
  return `# Workers of the sweep "${sweep}". Before:
#   kubectl create secret generic ${name} --from-literal=url=postgres://user:password@host:5432/name
#   flipgrad sweep FILE.ts --db postgres://… --workers 0
# Then: kubectl apply -f this-file
apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
  labels:
    app.kubernetes.io/name: flipgrad
spec:
  completionMode: Indexed
  completions: ${workers}
  parallelism: ${workers}
  # A worker that dies loses nothing: its trial goes on elsewhere, and its pod starts again.
  backoffLimitPerIndex: 100
  maxFailedIndexes: ${workers}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: flipgrad
    spec:
      restartPolicy: Never
      # Time to save before a pod is ended.
      terminationGracePeriodSeconds: 60
      containers:
        - name: worker
          image: ${JSON.stringify(image)}
          command: ${JSON.stringify(all)}
          env:
            - name: FLIPGRAD_DB
              valueFrom:
                secretKeyRef:
                  name: ${name}
                  key: url
          resources:
            requests:
              cpu: ${JSON.stringify(String(threads))}
              memory: 1Gi
          volumeMounts:
            - name: runs
              mountPath: /runs
      volumes:
        - name: runs
          emptyDir: {}
`;
}

function wantWorkers(workers: number): void {
  if (workers < 1) throw new UsageError('--print wants --workers N: how many workers it shall start, from 1 up.');
}
