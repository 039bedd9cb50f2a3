import { inTurn } from './in-turn.ts';

/**
 * Tells the width of an element, in pixels, now and whenever it changes, in its turn: not all pictures that are drawn to their width are
 * drawn in one task, and no layout is forced meanwhile. For `{@attach …}`.
 */
export function widthInTurn(tell: (width: number) => void): (element: Element) => () => void {
  return (element) => {
    let callOff = (): void => {};
    const observer = new ResizeObserver(([{ contentRect }]) => {
      callOff();
      callOff = inTurn(() => tell(Math.round(contentRect.width)));
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      callOff();
    };
  };
}
