/** Levels and tiers: their order, their weight, their shape. Words are in `words/`. */
import type { ByLevel, Level } from './contract'

/** Weights of the risk index (domain, section 7): a red one counts as ten blue ones. */
export const WEIGHT: Readonly<Record<Level, number>> = { red: 10, orange: 5, yellow: 2, blue: 1 }

/** Open hazards of a unit, weighted by level. */
export function weighted(counts: ByLevel): number {
  return counts.red * WEIGHT.red + counts.orange * WEIGHT.orange + counts.yellow * WEIGHT.yellow + counts.blue * WEIGHT.blue
}

/** The gravest level with anything open, or null. */
export function gravest(counts: ByLevel): Level | null {
  if (counts.red > 0) return 'red'
  if (counts.orange > 0) return 'orange'
  if (counts.yellow > 0) return 'yellow'
  return counts.blue > 0 ? 'blue' : null
}

/**
 * One shape a level, drawn in a 20×20 box, told apart without colour: triangle, diamond, square, circle.
 * The areas are about equal, so that no level looks larger than it is.
 */
export const SHAPE: Readonly<Record<Level, string>> = {
  red: 'M10 1 L19.5 18 L0.5 18 Z',
  orange: 'M10 0.5 L19.5 10 L10 19.5 L0.5 10 Z',
  yellow: 'M2.5 2.5 H17.5 V17.5 H2.5 Z',
  blue: 'M10 1.5 A8.5 8.5 0 1 0 10 18.5 A8.5 8.5 0 1 0 10 1.5 Z',
}

/** The same colours as in `styles/tokens.css`, for what draws without CSS. */
export const COLOUR: Readonly<Record<Level, string>> = {
  red: '#ff6157', orange: '#ff9d42', yellow: '#f0d25a', blue: '#6cb0ff',
}

/** Rank of a tier from below: university and district stand at the same height. Unknown tiers stand there too. */
export function rank(tier: string): 0 | 1 | 2 {
  if (tier === 'school') return 0
  return tier === 'city' ? 2 : 1
}
