import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Verdict } from '../src/audit/verdict.ts';
import { zoo } from '../src/neurons/index.ts';
import { packageVersion } from '../src/platform/node/own-package.ts';
import type { NetFlags, ProgramRow } from './audit-net.ts';
import type { AuditRow, MeasureFlags } from './audit-row.ts';
import { UsageError } from './exit.ts';

/** What was judged, how, and what became of every claim; `flipgrad verify` judges again. */
export interface Certificate {
  readonly format: 'flipgrad certificate';
  readonly version: 1;
  readonly flipgrad: string;
  readonly node: string;
  /** Files with neurons, from the certificate's folder, with checksums over them and what they import of their own; none: the zoo. */
  readonly sources: readonly { readonly file: string; readonly sha256: string }[];
  /** Where the judge looks, and with what seed. */
  readonly domain: string;
  readonly asked: MeasureFlags | NetAsked;
  readonly neurons: readonly {
    readonly neuron: string;
    readonly method: string;
    readonly verdicts: readonly Verdict[];
    /** Of a shipped neuron, where the program runs from its sources: its file in the repository, with a checksum as of `sources`. */
    readonly source?: { readonly file: string; readonly sha256: string };
  }[];
}

/** What was asked of a network or a function of tensors, the first of the sources. */
export interface NetAsked {
  readonly net: true;
  /** Its name there; absent: the only one, or the default. */
  readonly export?: string;
  readonly neuron?: readonly string[];
  readonly inputs: number;
  readonly classes: number;
  readonly examples: number;
  readonly samples: number;
  readonly seed: number;
}

const DOMAIN =
  'logits from −20 to 20 (Float32: ±13.5), losses of size 1e-3 to 1e3 with offsets up to 1e3, 1 to 4,096 units, 1 to 2,048 rows, states after 0 to 1,000 updates (thorough: 10,000), Float32 and Float64 arrays, every choice, both ends and values in between of every option';

/** The certificate of rows. @param path where it will lie */
export function certificateOf(
  path: string,
  files: readonly string[],
  { problem, units, evaluations, samples, seed, thorough = false }: MeasureFlags,
  rows: readonly AuditRow[],
): Certificate {
  return {
    format: 'flipgrad certificate',
    version: 1,
    flipgrad: packageVersion(),
    node: process.version,
    sources: files.map((file) => ({ file: relative(dirname(resolve(path)), resolve(file)), sha256: checksum(file) })),
    domain: DOMAIN,
    asked: { problem, units, evaluations, samples, seed, thorough },
    neurons: rows
      .map(({ neuron, method, verdicts }) => ({ neuron, method, verdicts, ...shippedSource(neuron) }))
      .sort((a, b) => (a.neuron < b.neuron ? -1 : 1)),
  };
}

/** The certificate of a network or a function of tensors. @param path where it will lie */
export function certificateOfNet(path: string, flags: NetFlags, rows: readonly ProgramRow[]): Certificate {
  const { net, use = [], neuron, inputs, classes, examples, samples, seed } = flags;
  const [file, name] = net.split('#');
  const sources = [file, ...use];
  return {
    format: 'flipgrad certificate',
    version: 1,
    flipgrad: packageVersion(),
    node: process.version,
    sources: sources.map((one) => ({ file: relative(dirname(resolve(path)), resolve(one)), sha256: checksum(one) })),
    domain: `the gradient at every parameter of the program, at its first weights, on ${examples} example${examples === 1 ? '' : 's'}`,
    asked: {
      net: true,
      ...(name && { export: name }),
      ...(neuron && { neuron }),
      ...{ inputs, classes, examples, samples, seed },
    },
    neurons: rows.map(({ neuron: text, method, verdicts }) => ({ neuron: text, method, verdicts })),
  };
}

/** The file of a neuron of the zoo: it has the neuron's name. */
export function shippedSource(text: string): { source?: { file: string; sha256: string } } {
  const [name] = text.split(':');
  if (!Object.hasOwn(zoo, name)) return {};
  const file = `src/neurons/zoo/${name}.ts`;
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  return existsSync(path) ? { source: { file, sha256: checksum(path) } } : {};
}

/** SHA-256 of a file and of the files beside it that it imports, in the order of their first import. */
export function checksum(file: string): string {
  const hash = createHash('sha256');
  const seen = new Set<string>();
  const add = (path: string): void => {
    if (seen.has(path) || !statSync(path, { throwIfNoEntry: false })?.isFile()) return;
    seen.add(path);
    const text = readFileSync(path, 'utf8');
    hash.update(text).update('\0');
    for (const [, target] of text.matchAll(/(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g))
      add(join(dirname(path), target));
  };
  add(resolve(file));
  return hash.digest('hex');
}

/** Reads a certificate. @throws UsageError for what is none */
export function readCertificate(path: string): Certificate {
  if (!existsSync(path))
    throw new UsageError(`There is no file ${path}; expected a certificate of \`flipgrad audit --out\`.`);
  let value: Partial<Certificate>;
  try {
    value = JSON.parse(readFileSync(path, 'utf8')) as Partial<Certificate>;
  } catch (error) {
    throw new UsageError(
      `${path} is no JSON: ${(error as Error).message}. Expected a certificate of \`flipgrad audit --out\`.`,
    );
  }
  if (
    value?.format !== 'flipgrad certificate' ||
    !Array.isArray(value.neurons) ||
    !Array.isArray(value.sources) ||
    !value.asked
  )
    throw new UsageError(`${path} is no certificate; expected one of \`flipgrad audit --out\`.`);
  if (value.version !== 1)
    throw new UsageError(`${path} is a certificate of version ${value.version}; expected version 1.`);
  return value as Certificate;
}

/** What is not as the certificate says, a sentence each. */
export function differences(
  certificate: Certificate,
  rows: readonly { readonly neuron: string; readonly verdicts: readonly Verdict[] }[],
): string[] {
  const found = new Map(rows.map(({ neuron, verdicts }) => [neuron, verdicts]));
  return certificate.neurons.flatMap(({ neuron, verdicts }) => {
    const now = found.get(neuron);
    if (!now) return [`${neuron} is not there any more`];
    const told = verdicts.flatMap(({ claim, verdict }) => {
      const one = now.find((other) => other.claim === claim);
      if (!one) return [`${neuron} does not claim "${claim}" any more`];
      return one.verdict === verdict
        ? []
        : [`${neuron}, ${claim}: certified "${verdict}", now "${one.verdict}" (${one.evidence})`];
    });
    const more = now.filter(({ claim }) => !verdicts.some((other) => other.claim === claim));
    return [...told, ...more.map(({ claim }) => `${neuron} claims "${claim}", which is not certified`)];
  });
}
