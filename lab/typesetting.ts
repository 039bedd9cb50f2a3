import temml from 'temml';
import type { Plugin } from 'vite';

/** `\s{name}{…}`: a symbol, which the page lights by its name. */
const MACROS = { '\\s': '\\data{symbol=#1}{#2}' };
/** The policy of the page has no inline styles; what these say stands in Equation.svelte. */
const STYLE = / style="[^"]*"/g;

/** MathML of TeX. @throws Error for TeX that is wrong */
export const typeset = (tex: string): string =>
  temml
    .renderToString(tex.trim(), { displayMode: true, trust: true, throwOnError: true, macros: { ...MACROS } })
    .replace(STYLE, '');

/** Files that end in .tex are typeset while the lab is built: a module of MathML each. */
export const typesetting = (): Plugin => ({
  name: 'typesetting',
  transform(tex, id) {
    if (!id.endsWith('.tex')) return undefined;
    return { code: `export default ${JSON.stringify(typeset(tex))};`, map: null };
  },
});
