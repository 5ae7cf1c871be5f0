import { expect, it } from 'vitest'
import { forecastPicture } from '../src/wall/charts/forecast'

const point = (index: number, low: number, high: number) => ({ day: '', index, low, high })

it('draws today at the left, the last day at the right, 100 on top', () => {
  const drawn = forecastPicture({ at: '', index: 50, points: [point(50, 25, 75), point(50, 0, 100)] }, 200, 100)
  expect(drawn).toEqual({ line: 'M0 50 L100 50 L200 50', area: 'M0 50 L100 25 L200 0 L200 100 L100 75 L0 50 Z', now: [0, 50] })
})
it('keeps what lies beyond the scale inside the box', () => {
  expect(forecastPicture({ at: '', index: 120, points: [point(-5, -5, 300)] }, 10, 100)?.line).toBe('M0 0 L10 100')
})
it('draws nothing without points', () => {
  expect(forecastPicture(null, 10, 10)).toBeNull()
  expect(forecastPicture({ at: '', index: 3, points: [] }, 10, 10)).toBeNull()
})
