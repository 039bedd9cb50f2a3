import {
  isSingleUnit,
  lookAtUnit,
  type NeuronDefinition,
  type OptionSpec,
  resolveNeuron,
  type UnitLossName,
  type UnitView,
  unitLosses,
  zoo,
} from '../../../src/index.ts';

/** What the microscope is set to. */
export interface MicroscopeState {
  readonly neurons: readonly string[];
  readonly logit: number;
  readonly loss: UnitLossName;
  readonly t: number;
  /** Of the row; default 1. */
  readonly units?: number;
  readonly seed: number;
}

export interface NamedView extends UnitView {
  readonly neuron: string;
  readonly summary: string;
  readonly source: string;
  /** What it can be given, by name. */
  readonly options: readonly (readonly [string, OptionSpec])[];
}

/** Names of the neurons that can be looked at by themselves. */
const microscopeNeurons = (): string[] => Object.keys(zoo).filter((name) => isSingleUnit(resolveNeuron(name)));

/** One view a neuron. @throws RangeError for a neuron or a setting that does not do */
function look({ neurons, logit, loss, t, seed, units = 1 }: MicroscopeState): NamedView[] {
  if (!Object.hasOwn(unitLosses, loss))
    throw new RangeError(`There is no loss "${loss}". Expected ${Object.keys(unitLosses).join(', ')}.`);
  return neurons.map((name) => {
    const neuron = resolveNeuron(name);
    const { summary, source } = neuron;
    const definition: NeuronDefinition = zoo[neuron.name as keyof typeof zoo];
    const options = Object.entries(definition.options);
    return {
      neuron: name,
      summary,
      source,
      options,
      ...lookAtUnit(neuron, { logit, loss: unitLosses[loss](t), seed, units }),
    };
  });
}

/** Answers of the page "Microscope". */
export const microscopeAnswers = {
  neurons: async () => microscopeNeurons(),
  /** What every neuron does, and where it is from, by its name. */
  async meanings(): Promise<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(zoo).map(([name, { summary, source }]) => [name, `${summary}. ${source}`]),
    );
  },
  look: async (state: MicroscopeState) => look(state),
};
