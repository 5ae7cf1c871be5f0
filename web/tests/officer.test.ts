import 'fake-indexeddb/auto'
import { describe, expect, test } from 'vitest'
import type { Answer } from '../src/officer/api'
import { flush, pause, standing } from '../src/officer/outbox'
import { fromFragment, last } from '../src/officer/place'
import { Vault, type Kept } from '../src/officer/vault'
import { both } from '../src/officer/words'

let made = 0
const vault = (): Promise<Vault> => Vault.open(`vault-${made++}`)
function kept(id: string, at: string, owner = 'chen'): Kept {
  return { id, owner, at, standing: 'waiting', why: '', told: { unit: '330203-001', text: `消防通道堵了 ${id}`, occurred_at: at } }
}
const answers = (...given: Answer[]) => {
  const asked: string[] = []
  return { asked, send: async (one: Kept): Promise<Answer> => { asked.push(one.id); return given[asked.length - 1] ?? { status: 0, detail: '' } } }
}
const ok = { status: 202, detail: '' }

describe('what an answer means', () => {
  test.each([[202, 'sent'], [200, 'sent'], [422, 'refused'], [409, 'refused'], [413, 'refused'], [0, 'waiting'], [401, 'waiting'], [403, 'waiting'],
    [429, 'waiting'], [500, 'waiting'], [503, 'waiting'], [302, 'waiting']] as const)('%i: %s', (status, what) => {
    expect(standing({ status, detail: '' })).toBe(what)
  })
  test('tries grow apart, up to a minute', () => {
    expect([0, 1, 2, 6, 30].map(pause)).toEqual([1000, 2000, 4000, 60_000, 60_000])
  })
})

describe('the vault', () => {
  test('keeps words under lock: what lies in the storage holds none of them', async () => {
    const held = await vault()
    await held.put(kept('a', '2026-11-24T01:00:00Z'))
    const raw = await new Promise<unknown[]>((done) => {
      const opening = indexedDB.open(`vault-${made - 1}`)
      opening.onsuccess = () => {
        const asking = opening.result.transaction('reports').objectStore('reports').getAll()
        asking.onsuccess = () => done(asking.result as unknown[])
      }
    })
    const lying = raw[0] as { sealed: ArrayBuffer }
    expect(Object.keys(lying).sort()).toEqual(['at', 'id', 'iv', 'owner', 'sealed', 'standing'])
    expect(new TextDecoder().decode(lying.sealed)).not.toContain('消防')
    expect((await held.list('chen'))[0]?.told.text).toBe('消防通道堵了 a')
  })
  test('opened again, it reads what was there', async () => {
    const held = await vault()
    await held.put(kept('a', '2026-11-24T01:00:00Z'))
    expect((await (await Vault.open(`vault-${made - 1}`)).list('chen')).map((one) => one.id)).toEqual(['a'])
  })
  test("another person's reports are neither shown nor sent", async () => {
    const held = await vault()
    await held.put(kept('a', '2026-11-24T01:00:00Z', 'wang'))
    const { asked, send } = answers(ok)
    expect(await flush(held, 'chen', send)).toEqual({ sent: 0, left: 0, signedOut: false })
    expect([asked, await held.list('chen'), await held.othersWaiting('chen')]).toEqual([[], [], 1])
  })
})

describe('sending', () => {
  test('oldest first; stops at the first without an answer; goes on there', async () => {
    const held = await vault()
    for (const [id, hour] of [['b', '02'], ['a', '01'], ['c', '03']] as const) await held.put(kept(id, `2026-11-24T${hour}:00:00Z`))
    const first = answers(ok, { status: 0, detail: '' })
    expect(await flush(held, 'chen', first.send)).toEqual({ sent: 1, left: 2, signedOut: false })
    expect(first.asked).toEqual(['a', 'b'])
    const second = answers(ok, ok)
    expect(await flush(held, 'chen', second.send)).toEqual({ sent: 2, left: 0, signedOut: false })
    expect(second.asked).toEqual(['b', 'c'])
  })
  test('a refused one stays, with the reason, and does not stop the others', async () => {
    const held = await vault()
    await held.put(kept('a', '2026-11-24T01:00:00Z'))
    await held.put(kept('b', '2026-11-24T02:00:00Z'))
    await flush(held, 'chen', answers({ status: 422, detail: '没有这个单位' }, ok).send)
    expect((await held.list('chen')).map((one) => [one.id, one.standing, one.why])).toEqual([['b', 'sent', ''], ['a', 'refused', '没有这个单位']])
  })
  test('signed out: everything waits, and it is said', async () => {
    const held = await vault()
    await held.put(kept('a', '2026-11-24T01:00:00Z'))
    expect(await flush(held, 'chen', answers({ status: 401, detail: '' }).send)).toEqual({ sent: 0, left: 1, signedOut: true })
    expect((await held.list('chen'))[0]?.standing).toBe('waiting')
  })
  test('of the delivered ones the newest fifty stay, of the others all', async () => {
    const held = await vault()
    const at = (n: number): string => new Date(Date.UTC(2026, 10, 24) + n * 1000).toISOString()
    await held.put({ ...kept('refused', at(0)), standing: 'refused' })
    for (let n = 1; n <= 55; n++) await held.put({ ...kept(String(n), at(n)), standing: 'sent' })
    await flush(held, 'chen', answers().send)
    const left = await held.list('chen')
    expect([left.length, left[0]?.id, left.at(-2)?.id, left.at(-1)?.id]).toEqual([51, '55', '6', 'refused'])
  })
})

test('a code on the wall says where one stands; what is no code says nothing', () => {
  expect(fromFragment('#unit=330203-001&place=3%E5%8F%B7%E6%A5%BC')).toEqual({ unit: '330203-001', place: '3号楼' })
  expect(fromFragment('#unit=<script>&place=x')).toEqual({ unit: '', place: 'x' })
  expect(fromFragment('#other')).toBeNull()
  expect(last({ getItem: () => '{bad' })).toEqual({ unit: '', place: '' })
})

test('both languages hold the same words', () => {
  expect(Object.keys(both.en)).toEqual(Object.keys(both.zh))
  expect(Object.keys(both.en.states)).toEqual(Object.keys(both.zh.states))
})
