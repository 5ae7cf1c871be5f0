import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { coalesce } from '../src/core/coalesce'

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })

const timer = { now: () => Date.now(), set: (run: () => void, ms: number) => setTimeout(run, ms), clear: (h: unknown) => clearTimeout(h as number) }

/** A job that takes `ms` and counts how many run at the same time. */
function job(ms: number) {
  const seen = { starts: [] as number[], together: 0, most: 0 }
  const run = async (): Promise<void> => {
    seen.starts.push(Date.now())
    seen.most = Math.max(seen.most, ++seen.together)
    await new Promise((done) => setTimeout(done, ms))
    seen.together--
  }
  return { seen, run }
}

it('runs at once when it rested', () => {
  const { seen, run } = job(10)
  coalesce(run, 500, timer).request()
  expect(seen.starts).toHaveLength(1)
})
it('makes one run of many requests, no more often than allowed', async () => {
  const { seen, run } = job(10)
  const work = coalesce(run, 500, timer)
  for (let i = 0; i < 200; i++) {
    work.request()
    await vi.advanceTimersByTimeAsync(10)
  }
  await vi.advanceTimersByTimeAsync(1000)
  expect(seen.starts.length).toBeGreaterThanOrEqual(4)
  expect(seen.starts.length).toBeLessThanOrEqual(5)
  for (let i = 1; i < seen.starts.length; i++) expect(seen.starts[i]! - seen.starts[i - 1]!).toBeGreaterThanOrEqual(500)
})
it('never overlaps a slow job, and runs once more for what came meanwhile', async () => {
  const { seen, run } = job(2000)
  const work = coalesce(run, 500, timer)
  work.request()
  await vi.advanceTimersByTimeAsync(100)
  work.request()
  work.request()
  await vi.advanceTimersByTimeAsync(5000)
  expect(seen.most).toBe(1)
  expect(seen.starts).toHaveLength(2)
})
it('goes on after a failure', async () => {
  let runs = 0
  const work = coalesce(() => { runs++; return Promise.reject(new Error('down')) }, 500, timer)
  work.request()
  await vi.advanceTimersByTimeAsync(600)
  work.request()
  await vi.advanceTimersByTimeAsync(600)
  expect(runs).toBe(2)
})
it('does nothing once stopped', async () => {
  const { seen, run } = job(10)
  const work = coalesce(run, 500, timer)
  work.request()
  work.request()
  work.stop()
  await vi.advanceTimersByTimeAsync(2000)
  work.request()
  expect(seen.starts).toHaveLength(1)
})
