/**
 * Arrow keys, Home and End move the focus within a group (role "group") of buttons, of which the Tab key reaches one.
 * @param row buttons in a line; default: all stand in one, and the keys up and down do nothing
 * @returns the number of the button that has the focus now
 */
export function rove(event: KeyboardEvent & { readonly currentTarget: HTMLElement }, row = Number.NaN): number {
  const buttons: HTMLElement[] = [...(event.currentTarget.closest('[role="group"]')?.querySelectorAll('button') ?? [])];
  const from = buttons.indexOf(event.currentTarget);
  const places: Readonly<Record<string, number>> = {
    ...{ ArrowRight: from + 1, ArrowLeft: from - 1, ArrowDown: from + row, ArrowUp: from - row },
    ...{ Home: 0, End: buttons.length - 1 },
  };
  const to = places[event.key];
  if (!(to in buttons)) return from;
  event.preventDefault();
  buttons[to].focus();
  return to;
}
