/** Where a district's label stands so that it covers no point. Pure, in pixels. */

export type Pixel = readonly [x: number, y: number]

/** A label of a two-figure count over a three-character name, with the half of a mark around it. */
const HALF = { width: 43, height: 33 } as const
/** Tried in this order: the middle first, then a little aside; farther would leave the smallest districts. */
const OFFSETS: readonly Pixel[] = [
  [0, 0], [0, 22], [0, -22], [28, 0], [-28, 0], [24, 20], [-24, 20], [24, -20], [-24, -20], [0, 36], [0, -36],
]

/** The offset with the fewest points under the label and no other label under it; the earliest of equals. */
export function labelOffset(at: Pixel, points: readonly Pixel[], labels: readonly Pixel[]): Pixel {
  let best: Pixel = [0, 0]
  let least = Infinity
  for (const offset of OFFSETS) {
    const x = at[0] + offset[0], y = at[1] + offset[1]
    const near = (half: number) => (p: Pixel): boolean =>
      Math.abs(p[0] - x) < HALF.width * half && Math.abs(p[1] - y) < HALF.height * half
    // Two labels on each other are worse than one mark under a label.
    const cost = points.filter(near(1)).length + 3 * labels.filter(near(1.6)).length
    if (cost < least) {
      best = offset
      least = cost
    }
  }
  return best
}
