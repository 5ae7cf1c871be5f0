/** Which marks are on their way up the ladder at the moment. Pure. */
import type { Level } from '../core/contract'
import { rank } from '../core/levels'

export interface Climb {
  key: string
  level: Level
  /** Ranks, from below: 0 school, 1 university or district, 2 city. */
  from: number
  to: number
}

/** More than this at a time is a swarm that nobody can read; the figures beside them count all. */
export const MOST_CLIMBS = 4

/** A climb seen on the stream; its event names where it arrived, and everything climbs one step but red. */
export function climbOf(key: string, level: Level, tier: string): Climb {
  const to = Math.max(1, rank(tier))
  return { key, level, from: level === 'red' ? 0 : to - 1, to }
}

export function addClimb(list: Climb[], climb: Climb): Climb[] {
  return [...list.filter((one) => one.key !== climb.key), climb].slice(-MOST_CLIMBS)
}
