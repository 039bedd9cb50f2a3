/** Lines that people who see few colours tell apart: by colour (after Okabe and Ito; see lab.css), and by dash. */
export const CURVE_STYLES = [
  { colour: 'var(--blue)', dash: 'none' },
  { colour: 'var(--orange)', dash: '7 4' },
  { colour: 'var(--green)', dash: '2 3' },
  { colour: 'var(--plum)', dash: '12 4 2 4' },
  { colour: 'var(--ink)', dash: '4 2' },
  { colour: 'var(--straw)', dash: '1 5' },
] as const;
