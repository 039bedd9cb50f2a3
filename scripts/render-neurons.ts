/**
 * Renders docs/neurons.md and its pictures from the files of the zoo: what they declare, and what the audit measures.
 *
 *     npm run render
 *
 * A test fails when a committed page is not what the zoo says.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { INK } from '../charts/figure.ts';
import { drawPanels } from '../charts/panels.ts';
import { type Certificate, readCertificate } from '../cli/certificate.ts';
import { auditNeuron, type NeuronAudit } from '../src/audit/audit-neuron.ts';
import { estimatePoints } from '../src/audit/grid.ts';
import { type Integral, integrate, type Loss } from '../src/audit/integrate.ts';
import { networkProblem, toyProblem } from '../src/audit/problems.ts';
import { derivative } from '../src/audit/quadrature.ts';
import { sampleNeuron } from '../src/audit/sample-neuron.ts';
import { behaviourOf } from '../src/neurons/behaviour.ts';
import type { Neuron, NeuronDefinition, OptionSpec, Reads } from '../src/neurons/contract.ts';
import { zoo } from '../src/neurons/index.ts';
import { resolveNeuron } from '../src/neurons/resolve.ts';
import { drawsOf } from '../src/tensor/draws.ts';

const UNITS = 4;
const SAMPLES = 10_000;
const PROBLEMS = { network: networkProblem, toy: toyProblem };

const READS: Readonly<Record<Reads, string>> = {
  loss: 'the loss of every example',
  cotangent: '∂L/∂h, of closed units too',
  'cotangent-when-open': '∂L/∂h, of open units only',
  both: 'the loss of every example and ∂L/∂h',
};

/** Units by themselves, with noise. */
const alone = ({ noise, jointNoise }: Neuron): boolean => noise > 0 && jointNoise === undefined;
const oneDraw = ({ draws }: Neuron): boolean => draws === undefined;

/** A family and which neurons it has: the first that fits. */
const FAMILIES: readonly (readonly [title: string, fits: (neuron: Neuron) => boolean])[] = [
  [
    'Bits and relaxations that train with the cotangent: biased',
    (neuron) => alone(neuron) && oneDraw(neuron) && neuron.reads !== 'loss' && !neuron.claims.unbiased,
  ],
  [
    'Bits that train with the loss of one draw: unbiased',
    (neuron) => alone(neuron) && oneDraw(neuron) && neuron.reads === 'loss',
  ],
  ['Bits that train with several draws', (neuron) => alone(neuron) && !oneDraw(neuron)],
  ['Noise that the gradient goes through', alone],
  ['Categorical units: one of a group is 1', ({ group, noise }) => group !== undefined && noise > 0],
  ['Rules that choose units, and deterministic units', () => true],
];

const neurons = (): Neuron[] => Object.keys(zoo).map((name) => resolveNeuron(name));

/** Names of neurons by family, in the order of FAMILIES; families without any are left out. */
export function families(): [title: string, neurons: Neuron[]][] {
  const all = neurons().map((neuron) => ({ neuron, family: FAMILIES.findIndex(([, fits]) => fits(neuron)) }));
  return FAMILIES.map(([title], i): [string, Neuron[]] => [
    title,
    all.filter(({ family }) => family === i).map(({ neuron }) => neuron),
  ]).filter(([, members]) => members.length > 0);
}

/** What a net with several stochastic layers makes of it: it follows from what the neuron reads. */
function severalLayers({ noise, reads, draws, claims }: Neuron): string {
  const many =
    draws === undefined
      ? ''
      : ' A layer above that asks for several draws makes them of each of these, so that numbers of draws multiply.';
  if (noise === 0 && draws === undefined) return `Deterministic: it passes on what the layers above give.${many}`;
  if (reads === 'loss')
    return `It reads its own noise and the losses of its draws alone${claims.unbiased ? ', so that it stays unbiased under and over other stochastic layers' : ''}; their noise adds to its variance.${many}`;
  if (claims.unbiased)
    return `Unbiased as long as the cotangents from the layers above are: over it, layers with a biased rule make it biased.${many}`;
  return `The cotangent has gone through the rules of the layers above, so that biases add up.${many}`;
}

const number = (value: number): string => (Math.abs(value) < 1e-9 ? '0' : String(Number(value.toPrecision(2))));

function optionRow([name, spec]: [string, OptionSpec]): string {
  const values =
    'choices' in spec ? spec.choices.map((choice) => `\`${choice}\``).join(', ') : `${spec.minimum} to ${spec.maximum}`;
  return `| \`${name}\` | ${values} | ${number(Number(spec.default)) === 'NaN' ? `\`${spec.default}\`` : number(Number(spec.default))} | ${spec.meaning} |`;
}

function claimsOf({ claims }: Neuron): string {
  const about = claims.unbiasedRelaxation
    ? 'biased for the behaviour, unbiased for the relaxation that it trains with'
    : claims.unbiased
      ? `unbiased${claims.scale ? ' up to a factor that its state knows' : ''}`
      : 'biased';
  const known = [claims.mean && 'E[h]', claims.rate && 'P(h ≠ 0)'].filter(Boolean);
  return known.length > 0 ? `${about}; ${known.join(' and ')} in closed form` : about;
}

function drawsText(neuron: Neuron): string {
  const at = (units: number): string => {
    const allowed = neuron.mostUnits === undefined || units <= neuron.mostUnits;
    return allowed ? String(drawsOf(neuron, units)) : 'more than is allowed';
  };
  const { draws = 1, mostUnits } = neuron;
  const most = mostUnits === undefined ? '' : `; at most ${mostUnits} units`;
  return typeof draws === 'number' ? `${draws}${most}` : `${at(4)} for 4 units, ${at(8)} for 8${most}`;
}

/** Bias and variance on one problem; both are 0 where there is no noise and the gradient is exact. */
function measured({ problem, units, method, samples, bias, totalVariance, cosine }: NeuronAudit): string {
  // Under the resolution of sampling no bias is told from none.
  const told =
    method === 'integration'
      ? number(bias.value)
      : bias.least > 0
        ? `${number(bias.value)} (sampled)`
        : `under ${number(bias.most)}`;
  const how = method === 'integration' ? 'exact' : `${samples} samples`;
  return `| ${problem} | ${units} | ${told} | ${number(totalVariance)} | ${Number.isNaN(cosine) ? '–' : cosine.toFixed(3)} | ${how} |`;
}

/** What `flipgrad audit --out results/certificates.json` certified of a neuron, in each choice of its options. */
function certified(name: string): string[] {
  const own = certificate().neurons.filter(({ neuron }) => neuron === name || neuron.startsWith(`${name}:`));
  return own.flatMap(({ neuron, verdicts }) => {
    const count = verdicts.filter(({ verdict }) => verdict === 'holds').length;
    const bias = verdicts.find(({ claim }) => claim === 'unbiased' || claim === 'biased');
    const others = verdicts.filter(({ verdict }) => verdict !== 'holds');
    const open = others.map(({ claim, verdict, evidence }) => `; ${claim} is ${verdict}: ${evidence}`).join('');
    return bias
      ? [`- \`${neuron}\`: ${count} of ${verdicts.length} claims hold${open}. ${bias.claim}: ${bias.evidence}`]
      : [];
  });
}

let read: Certificate | undefined;
const certificate = (): Certificate =>
  (read ??= readCertificate(fileURLToPath(new URL('../results/certificates.json', import.meta.url))));

function section(neuron: Neuron): string {
  const { name, summary, source, noise, reads } = neuron;
  const options = Object.entries(
    (zoo as Readonly<Record<string, NeuronDefinition | NeuronDefinition<never>>>)[name].options,
  ) as [string, OptionSpec][];
  const audits = Object.values(PROBLEMS).map((problem) =>
    auditNeuron(neuron, { problem, units: UNITS, samples: SAMPLES }),
  );
  const table =
    options.length === 0
      ? []
      : ['| option | values | default | meaning |', '|---|---|---:|---|', ...options.map(optionRow), ''];
  return [
    `### ${name}`,
    '',
    `${summary}`,
    '',
    `![${name}: E\\[h\\], P(h ≠ 0) and the gradient](neurons/${name}.svg)`,
    '',
    `- Source: ${source}`,
    `- Reads: ${READS[reads]}`,
    `- Evaluations of the loss: ${drawsText(neuron)}; noise numbers a unit: ${noise}`,
    `- Claims: ${claimsOf(neuron)}`,
    `- Several stochastic layers: ${severalLayers(neuron)}`,
    '',
    ...table,
    '| problem | units | bias | variance | cosine | how |',
    '|---|---:|---:|---:|---:|---|',
    ...audits.map(measured),
    '',
    'Certified:',
    '',
    ...certified(name),
    '',
  ].join('\n');
}

const LOGITS = Array.from({ length: 25 }, (_, i) => (i - 12) / 2);
/** L = h of the first unit. */
const first: Loss = (h) => ({ loss: h[0], dh: Float64Array.from(h, (_, i) => (i === 0 ? 1 : 0)) });
const MOST_POINTS = 5_000;

/** What noise does to one unit, or beside another of logit 0 where units are coupled: exactly, or where that is much work by samples. */
function passOf(neuron: Neuron, logit: number): Integral {
  const logits = neuron.jointNoise ? [logit, 0] : [logit];
  const small =
    estimatePoints(neuron, logits) <= MOST_POINTS && !(neuron.jointNoise && !neuron.group && neuron.noise > 0);
  return small ? integrate(neuron, logits, first) : sampleNeuron(neuron, logits, first, { samples: 2000, seed: 1 });
}

/** E[h] and P(h ≠ 0) of the behaviour, and the mean gradient of L = h with a band of one standard deviation, over the logit. */
function picture(neuron: Neuron): string {
  const used = behaviourOf(neuron);
  const forward = LOGITS.map((logit) => passOf(used, logit));
  const backward = LOGITS.map((logit) => passOf(neuron, logit));
  const slope = LOGITS.map((logit) => derivative((x) => passOf(used, x).mean[0], logit, 0.005));
  const smooth = used.noise === 0 || neuron.jointNoise === undefined || neuron.group !== undefined;
  const curve = (name: string, colour: string, heights: readonly number[], spread: readonly number[] = []) => ({
    ...{ name, colour },
    points: heights.map((y, i) => ({ x: LOGITS[i], y, low: y - (spread[i] ?? 0), high: y + (spread[i] ?? 0) })),
  });
  const [mean, rate] = [forward.map((pass) => pass.mean[0]), forward.map((pass) => pass.rate[0])];
  const [gradient, spread] = [
    backward.map((pass) => pass.gradient[0]),
    backward.map((pass) => Math.sqrt(pass.variance[0])),
  ];
  const xTick = (logit: number): string => `a = ${logit}`;
  return drawPanels(`${neuron.name}: forward, and the gradient of L = h, over the logit a`, [
    { title: 'forward', xTick, curves: [curve('P(h ≠ 0)', INK.vermilion, rate), curve('E[h]', INK.blue, mean)] },
    {
      ...{ title: 'gradient', xTick },
      curves: [
        curve('E[ĝ] ± one standard deviation', INK.green, gradient, spread),
        ...(smooth ? [{ ...curve('true gradient', INK.grey, slope), dash: '5 3' }] : []),
      ],
    },
  ]);
}

const HEAD = `# The neurons

One section for each neuron: its equation, source, options, claims, measured bias and variance, and a picture. \`npm run render\` makes this page from the files of [src/neurons/zoo](../src/neurons/zoo) and from the audit, and a test compares it with them.

**Symbols.** a is the logit, p = σ(a), h the output of the unit, L (or f) the loss of an example, δ = ∂L/∂h, u and z noise, ĝ the gradient at the
logit that the rule makes. A rule of the form ĝ = δ·… uses the cotangent δ; a rule with f(…) evaluates the loss of several draws.

**Tables.** Bias is |E[ĝ] − ∇|, where ∇ is the true gradient of E[L]. Variance is Σ Var[ĝ] of one gradient. Cosine is that of E[ĝ] and ∇. All are measured at ${UNITS} fixed logits (fewer where a unit's gradient needs a fine
grid of integration; closer together where units are coupled), with default options, and a state that was warmed up on the problem. \`network\`: L is a random network with five tanh units that reads h. \`toy\`: L = Σ(h − 0.45)². “Exact” means
integration over all noise; otherwise gradients are sampled. To compare neurons with different numbers of evaluations at equal cost, use \`flipgrad audit\`.

**Pictures.** On the left E[h] and P(h ≠ 0) over the logit. On the right E[ĝ] for L = h, with a band of one standard deviation, in the initial state; the dashed line is the true gradient of E[L]. A coupled unit is shown beside
one of logit 0.

**Certified.** What \`flipgrad audit\` found at logits, losses and options from the whole domain ([results/certificates.json](../results/certificates.json), with the checksums of the sources). \`flipgrad verify results/certificates.json\` judges all neurons
again.
`;

/** The page and its pictures, by path from the root. */
export function renderNeuronDocs(): [path: string, text: string][] {
  const list = families();
  const contents = list.map(
    ([title, members]) => `- ${title}: ${members.map(({ name }) => `[${name}](#${name})`).join(', ')}`,
  );
  const body = list.flatMap(([title, members]) => [`## ${title}\n`, ...members.map(section)]);
  return [['docs/neurons.md', [HEAD, ...contents, '', ...body].join('\n')], ...picturesOfNeurons()];
}

/** The pictures alone, by path from the root. */
export const picturesOfNeurons = (): [path: string, text: string][] =>
  neurons().map((neuron) => [`docs/neurons/${neuron.name}.svg`, picture(neuron)]);

if (import.meta.main) {
  const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
  mkdirSync(here('docs/neurons'), { recursive: true });
  for (const [path, text] of renderNeuronDocs()) writeFileSync(here(path), text);
}
