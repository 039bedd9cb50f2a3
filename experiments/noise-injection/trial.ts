export interface InjectionTrial {
  readonly data: 'digits' | 'mnist';
  /** Units of a hidden layer; or gates that multiply as many linear experts, as in 2013. */
  readonly net: 'hidden' | 'gates';
  readonly noise: 'none' | 'additive' | 'multiplicative';
  /** Standard deviation; 0 without noise. */
  readonly scale: number;
  readonly rate: number;
  readonly examples: number;
  readonly units: number;
  readonly epochs: number;
  readonly seed: number;
}

export interface InjectionResult {
  /** The training criterion after an epoch, in nats: noise off, and as sampled over that epoch. */
  readonly curve: readonly { readonly epoch: number; readonly off: number; readonly sampled: number }[];
  readonly validError: number;
  readonly test: { readonly sampled: number; readonly off: number };
  readonly dataChecksum: string;
  readonly engine: string;
}

/** The levels of noise; argument a: none σ(a), additive σ(a + s·z), multiplicative σ(a·(1 + s·z)). */
export const levels = (additive: readonly number[], multiplicative: readonly number[]) => [
  { noise: 'none' as const, scale: 0 },
  ...additive.map((scale) => ({ noise: 'additive' as const, scale })),
  ...multiplicative.map((scale) => ({ noise: 'multiplicative' as const, scale })),
];

type Setting = Omit<InjectionTrial, 'noise' | 'scale' | 'rate' | 'seed'>;

export const grid =
  (parts: readonly { setting: Setting; rates: readonly number[]; noises: ReturnType<typeof levels> }[]) =>
  (seeds: readonly number[]): InjectionTrial[] =>
    seeds.flatMap((seed) =>
      parts.flatMap(({ setting, rates, noises }) =>
        rates.flatMap((rate) => noises.map((noise) => ({ ...setting, ...noise, rate, seed }))),
      ),
    );
