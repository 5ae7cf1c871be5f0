/** The forecast as two paths in a box: the interval as an area, its middle as a line. */
import type { Forecast } from '../../core/contract'

export interface Picture {
  area: string
  line: string
  /** Where the index of today stands. */
  now: [x: number, y: number]
}

/** Today first, then each day; 0–100 from the bottom to the top. Null where there is nothing to draw. */
export function forecastPicture(forecast: Forecast | null, width: number, height: number): Picture | null {
  if (forecast === null || forecast.points.length === 0) return null
  const days = [{ index: forecast.index, low: forecast.index, high: forecast.index }, ...forecast.points]
  const x = (at: number): number => Math.round((at / (days.length - 1)) * width * 10) / 10
  const y = (value: number): number => Math.round((1 - Math.min(100, Math.max(0, value)) / 100) * height * 10) / 10
  const way = (values: readonly number[]): string[] => values.map((value, at) => `${x(at)} ${y(value)}`)
  const back = way(days.map((day) => day.low)).reverse()
  return {
    area: `M${[...way(days.map((day) => day.high)), ...back].join(' L')} Z`,
    line: `M${way(days.map((day) => day.index)).join(' L')}`,
    now: [x(0), y(forecast.index)],
  }
}
