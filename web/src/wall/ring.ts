/** Geometry of the loop's ring: three arcs, one a phase, clockwise from the top, each divided by level. Pure. */
import { LEVELS, PHASES, type Level, type MatrixCell, type Phase } from '../core/contract'

export interface Piece {
  phase: Phase
  level: Level
  path: string
  width: number
}

/** Degrees between two phases, where the arrowhead stands. */
const GAP = 26
/** Thickness by level, so that the ring is read without colour too. */
const WIDTH: Readonly<Record<Level, number>> = { red: 26, orange: 20, yellow: 14, blue: 8 }

function point(radius: number, degrees: number): string {
  const t = ((degrees - 90) * Math.PI) / 180
  return `${(radius * Math.cos(t)).toFixed(2)} ${(radius * Math.sin(t)).toFixed(2)}`
}

/** An arc of less than 180°, around 0 0, degrees clockwise from the top. */
export function arc(radius: number, from: number, to: number): string {
  return `M${point(radius, from)} A${radius} ${radius} 0 0 1 ${point(radius, to)}`
}

/** Where a phase's arc begins and ends. */
export function span(phase: Phase): [number, number] {
  const start = PHASES.indexOf(phase) * 120
  return [start + GAP / 2, start + 120 - GAP / 2]
}

/** The arcs to draw: within each phase the levels in their share, gravest last, at the arrow. Nothing open: no pieces. */
export function pieces(matrix: readonly MatrixCell[], radius: number): Piece[] {
  const found: Piece[] = []
  for (const phase of PHASES) {
    const of = (level: Level): number =>
      matrix.reduce((sum, cell) => sum + (cell.phase === phase && cell.level === level ? cell.count : 0), 0)
    const total = LEVELS.reduce((sum, level) => sum + of(level), 0)
    const [start, end] = span(phase)
    let at = start
    for (const level of [...LEVELS].reverse()) {
      const size = total === 0 ? 0 : ((end - start) * of(level)) / total
      if (size <= 0) continue
      found.push({ phase, level, path: arc(radius, at, at + size), width: WIDTH[level] })
      at += size
    }
  }
  return found
}

/** A chevron after a phase's arc, pointing clockwise. */
export function arrow(phase: Phase, radius: number): string {
  const at = span(phase)[1] + GAP / 2
  return `M${point(radius - 9, at - 3)} L${point(radius, at + 4)} L${point(radius + 9, at - 3)}`
}
