import { expect, it } from 'vitest'
import { percent, whole } from '../src/core/numbers'

it('groups thousands', () => {
  expect(whole(0)).toBe('0')
  expect(whole(1_234_567)).toBe('1,234,567')
})
it('shows a rate with at most one decimal', () => {
  expect(percent(0)).toBe('0%')
  expect(percent(1)).toBe('100%')
  expect(percent(0.8751)).toBe('87.5%')
})
it('shows a dash where nothing was counted, never 100 %', () => {
  expect(percent(null)).toBe('—')
})
