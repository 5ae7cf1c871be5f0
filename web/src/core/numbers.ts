/** Numbers as the page shows them. */

const count = new Intl.NumberFormat('en-US')

/** "1,204". */
export function whole(n: number): string {
  return count.format(Math.round(n))
}

/** A rate of 0–1 as "87.5%"; "—" for null, because an empty denominator is not 100 %. */
export function percent(rate: number | null): string {
  if (rate === null) return '—'
  const value = Math.round(rate * 1000) / 10
  return `${Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1)}%`
}
