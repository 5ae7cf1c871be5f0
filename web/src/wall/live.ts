/** How fresh what hangs on the wall is, in one word. */
import type { WallState } from './store'

export type Live = 'loading' | 'live' | 'reconnecting' | 'offline' | 'stale'

/** Figures are fetched at least every 20 s; three misses and they are no longer called current. */
export const STALE_MS = 60_000
/** The server ends each stream after ten minutes and the browser is back in about three seconds: no alarm for that. */
export const GRACE_MS = 4000

export function liveState(state: WallState, now: number, online: boolean): Live {
  if (state.freshAt === null) return 'loading'
  if (now - state.freshAt > STALE_MS) return 'stale'
  if (!online) return 'offline'
  if (state.lostAt !== null && now - state.lostAt > GRACE_MS) return 'reconnecting'
  return 'live'
}
