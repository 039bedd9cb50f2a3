let name: Promise<string | undefined> | undefined;

/** The name of the run that this page's server has under `run/`; undefined where it has none, or is another server. */
export function servedRunName(): Promise<string | undefined> {
  name ??= fetch(document.baseURI, { method: 'HEAD', cache: 'no-store' }).then(
    ({ headers }) => {
      const text = headers.get('Flipgrad-Run');
      return text === null ? undefined : decodeURIComponent(text);
    },
    () => undefined,
  );
  return name;
}
