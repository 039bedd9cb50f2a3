import { type Fields, readAddress, type Settings, writeAddress } from './url-state.ts';

/** A page's settings, as its address has them. */
export interface AddressState<F extends Fields> {
  settings: Settings<F>;
  /** What of the address was not taken as it stands; empty once a setting is changed. */
  readonly problems: readonly string[];
}

/**
 * Keeps a page's settings in its address: they are read when the page comes and whenever the address changes, and written when they
 * change. An address with something wrong in it stays as it is until then. To be called while a component is made.
 * @param options.pause milliseconds without a change before the address is written: browsers hold up pages that change it often
 * @param options.arrived after another address of the same page was read
 */
export function addressState<F extends Fields>(
  page: string,
  fields: F,
  { pause = 0, arrived }: { readonly pause?: number; readonly arrived?: () => void } = {},
): AddressState<F> {
  const first = readAddress(location.hash, fields);
  let settings = $state(first.settings);
  let problems = $state.raw(first.problems);
  let asRead = writeAddress(page, first.settings);
  $effect(() => {
    const arrive = (): void => {
      const read = readAddress(location.hash, fields);
      if (read.page !== page) return;
      ({ settings, problems } = read);
      asRead = writeAddress(page, read.settings);
      arrived?.();
    };
    addEventListener('hashchange', arrive);
    return () => removeEventListener('hashchange', arrive);
  });
  $effect(() => {
    const address = writeAddress(page, { ...settings });
    if (problems.length > 0 && address === asRead) return;
    if (problems.length > 0) problems = [];
    const write = (): void => {
      if (address !== location.hash) history.replaceState(null, '', address);
    };
    if (pause === 0) return write();
    const timer = setTimeout(write, pause);
    return () => clearTimeout(timer);
  });
  return {
    get settings() {
      return settings;
    },
    set settings(given) {
      settings = given;
    },
    get problems() {
      return problems;
    },
  };
}
