import * as Plot from '@observablehq/plot';

/**
 * A chart by Plot as one labelled picture.
 * @param options with `ariaLabel`: what is seen, in words
 * @param adjust changes it while Plot's groups still have their labels, by which they are found
 */
export function drawPlot(options: Plot.PlotOptions, adjust?: (drawn: Element) => void): Element {
  // A fixed name, so that the style sheet that Plot adds is one that the server's policy knows.
  const drawn = Plot.plot({ className: 'lab-plot', ...options });
  drawn.setAttribute('role', 'img');
  adjust?.(drawn);
  // Plot labels its groups too, which have no role that may be labelled; the whole picture is labelled.
  for (const group of drawn.querySelectorAll('g[aria-label]')) group.removeAttribute('aria-label');
  return drawn;
}
