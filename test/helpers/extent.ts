/**
 * How much is tested. `npm test` checks an installation in minutes: everything that is quick, and one of each slow kind. `npm run
 * test:full` is everything. This is the only place that asks.
 */
export const full: boolean = process.env.FLIPGRAD_TESTS === 'full';

/** `skip` of a test whose kind has a smaller one, or that wants a server or a browser. */
export const slow: string | false = full ? false : 'npm run test:full runs it';
