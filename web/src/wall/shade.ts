/** The map's colour scale: one hue, brighter where more is open, in steps that a legend can show. */

/** Darkest first. White text on the brightest still has a contrast above 4.5. */
export const SHADES = ['#17222d', '#1c3a4e', '#1f4f6b', '#256787', '#2c7ca1'] as const

/** Nice upper ends of the steps 1–3 for a largest value; the fourth step is open. */
export function steps(largest: number): [number, number, number] {
  const unit = Math.max(1, nice(largest / 4))
  return [unit, unit * 2, unit * 3]
}

/** Rounded up to 1, 2 or 5 times a power of ten. */
function nice(value: number): number {
  if (value <= 1) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const lead = value / power
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10)
}

/** Index into `SHADES`: 0 for nothing open. */
export function shadeOf(value: number, ends: readonly [number, number, number]): number {
  if (value <= 0) return 0
  if (value <= ends[0]) return 1
  if (value <= ends[1]) return 2
  return value <= ends[2] ? 3 : 4
}
