/** Lines that people who see few colours tell apart: by colour (after Okabe and Ito, 3 to 1 against the ground), and by dash. */
export const CURVE_STYLES = [
  { colour: 'light-dark(#0063a3, #56b4e9)', dash: 'none' },
  { colour: 'light-dark(#b35900, #e69f00)', dash: '7 4' },
  { colour: 'light-dark(#00735a, #19c79d)', dash: '2 3' },
  { colour: 'light-dark(#9a3a72, #e493bf)', dash: '12 4 2 4' },
  { colour: 'light-dark(#1a1d20, #e8ebee)', dash: '4 2' },
  { colour: 'light-dark(#6b5900, #f0e442)', dash: '1 5' },
] as const;
