import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { auditNet } from './audit-net.ts';
import { checksum, differences, readCertificate } from './certificate.ts';
import { ExitCode, UsageError } from './exit.ts';
import { untilInterrupted } from './interrupt.ts';
import { judged } from './judge-neurons.ts';
import { positive } from './options.ts';
import { print } from './output.ts';

/** `flipgrad verify`. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Judge the neurons of a certificate again, with its seed. Exit code 1: a source or a verdict has changed.',
    )
    .exitOverride()
    .argument('<certificate>', 'a file that `flipgrad audit --out` wrote')
    .option('--limit <s>', 'time limit for one call of a function of a neuron, in seconds', positive, 20)
    .action((path: string, { limit }: { limit: number }) => untilInterrupted((signal) => run(path, limit, signal)));
}

async function run(path: string, limit: number, signal: AbortSignal): Promise<void> {
  const certificate = readCertificate(path);
  const files = certificate.sources.map(({ file }) => join(dirname(path), file));
  const changed = certificate.sources.filter(({ sha256 }, i) => checksum(files[i]) !== sha256).map(({ file }) => file);
  if (changed.length > 0) {
    process.exitCode = ExitCode.refuted;
    print(
      `Not verified: ${changed.join(', ')} changed since the certificate of flipgrad ${certificate.flipgrad} was made.\n`,
    );
    return;
  }
  const texts = certificate.neurons.map(({ neuron }) => neuron);
  if (texts.length === 0) throw new UsageError(`${path} certifies no neuron; expected one or more.`);
  const { asked } = certificate;
  const [net, ...use] = files;
  const rows =
    'net' in asked
      ? await auditNet({ ...asked, net: asked.export ? `${net}#${asked.export}` : net, use }, signal)
      : (await judged(files, texts, { ...asked, limit }, signal)).rows;
  const told = differences(certificate, rows);
  if (told.length > 0) process.exitCode = ExitCode.refuted;
  print(
    told.length === 0
      ? `Verified: ${texts.length} ${'net' in asked ? 'program' : 'neuron'}${texts.length === 1 ? '' : 's'}, every verdict as certified by flipgrad ${certificate.flipgrad} (seed ${asked.seed}).\n`
      : `Not verified.\n${told.map((line) => `${line}.\n`).join('')}`,
  );
}
