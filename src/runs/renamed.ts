import { isObject } from '../schema/is-object.ts';

type Json = Readonly<Record<string, unknown>>;

/** Names that settings had in version 0.1, by the section of run.json that they stand in. */
const FORMERLY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  config: { basket: 'probeEstimators', basketEvery: 'probeEstimatorsEvery' },
  training: { basket: 'estimatorProbe' },
};

/** A run's record, or the settings that its checkpoint kept, with the names that settings have now. */
export function renamed(record: Json): Json {
  const sections = Object.entries(FORMERLY).flatMap(([section, names]) => {
    const given = record[section];
    if (!isObject(given) || !Object.keys(names).some((name) => Object.hasOwn(given, name))) return [];
    const entries = Object.entries(given).map(([name, value]) => [
      Object.hasOwn(names, name) ? names[name] : name,
      value,
    ]);
    return [[section, Object.fromEntries(entries)]];
  });
  return { ...record, ...Object.fromEntries(sections) };
}
