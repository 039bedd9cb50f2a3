/// <reference types="vite/client" />
/** MathML by the name of its file: TeX in equations/NAME.tex, typeset while the lab is built. */
export const equations: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(import.meta.glob<string>('./equations/*.tex', { eager: true, import: 'default' })).map(
    ([path, mathml]) => [path.replace(/^.*\/(.+)\.tex$/, '$1'), mathml],
  ),
);
