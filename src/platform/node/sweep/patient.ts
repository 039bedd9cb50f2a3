import { setTimeout as sleep } from 'node:timers/promises';

/** Codes of Node and SQLSTATE classes that say that the server is away, starting, stopping or full; not that a statement is wrong. */
const AWAY = /^(?:ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN|ENOTFOUND|08|57P0[123]|53300)/;
const AWAY_MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;
const DEFAULT_PATIENCE = 600;

/** How long statements wait for a server that is away. */
export interface Patience {
  /** Seconds until that is an error; default 600. */
  readonly patience?: number;
  /** Stops waiting. */
  readonly signal?: AbortSignal;
  /** Called when a server went away, once for each time. */
  readonly onAway?: (reason: string) => void;
}

/** Does an error say that the server is away? */
export function isAway(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isAway);
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (typeof code === 'string' && AWAY.test(code)) || (typeof message === 'string' && AWAY_MESSAGES.test(message));
}

/**
 * Makes a statement wait for a server that is away: it is sent again, at growing intervals, until the server answers. A statement whose
 * connection broke may have been carried out or not, so all statements of sweeps can be carried out twice without harm.
 */
export function patient<Arguments extends unknown[], Result>(
  send: (...values: Arguments) => Promise<Result>,
  { patience = DEFAULT_PATIENCE, signal, onAway }: Patience,
): (...values: Arguments) => Promise<Result> {
  let away = false;
  return async (...values) => {
    const end = Date.now() + 1000 * patience;
    for (let pause = 100; ; pause = Math.min(5000, 2 * pause)) {
      try {
        const answer = await send(...values);
        away = false;
        return answer;
      } catch (error) {
        if (!isAway(error) || Date.now() + pause > end || signal?.aborted) throw error;
        if (!away) onAway?.((error as Error).message);
        away = true;
        // A thousand workers do not come back at the same moment.
        await sleep(pause * (0.5 + Math.random()), undefined, { ...(signal && { signal }) }).catch(() => {});
      }
    }
  };
}
