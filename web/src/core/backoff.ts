/** How long to wait before trying again. */

/** First wait: a restarted server is back in seconds. */
const BASE_MS = 1000
/** Longest wait: after a long outage the wall is back within this time, and a hundred walls do not storm the server. */
const MOST_MS = 10_000

/**
 * Milliseconds before attempt `attempt` (0, 1, 2, …): doubled each time, up to 10 s, spread over ±20 % by `chance`
 * (0–1) so that walls which lost the server together do not return together.
 */
export function backoff(attempt: number, chance: number): number {
  const full = Math.min(MOST_MS, BASE_MS * 2 ** Math.min(attempt, 10))
  return Math.round(full * (0.8 + 0.4 * chance))
}
