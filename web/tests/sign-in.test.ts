import { describe, expect, it } from 'vitest'
import { readAccount, Refused, refusal } from '../src/sign-in/api'
import { backOf, outcomeOf, safeBack } from '../src/sign-in/back'
import { afterProvider, afterSignIn, inFours, sentence } from '../src/sign-in/steps'
import { both } from '../src/sign-in/words'

describe('the way back', () => {
  it.each(['/', '/?unit=U01', '/desk.html#h=1'])('is %s', (path) => expect(safeBack(path)).toBe(path))
  it.each([
    null, '', 'desk', 'https://evil.example/', '//evil.example', '/\\evil.example', '/\t/evil.example', '/\n/evil.example',
    'javascript:alert(1)', `/${'x'.repeat(600)}`,
  ])('is never %j', (path) => expect(safeBack(path)).toBeNull())
  it('is read from the address, and is never this page', () => {
    expect(backOf('?back=%2F%3Funit%3DU01')).toBe('/?unit=U01')
    expect(backOf('?lang=en')).toBeNull()
    expect(backOf('?back=/sign-in.html?back=/x')).toBeNull()
  })
})

it('finds what a provider’s sign-in came to', () => {
  expect(outcomeOf('#oidc=done')).toBe('done')
  expect(outcomeOf('')).toBeNull()
})

describe('after signing in', () => {
  const own = (needed: boolean, given: boolean) => readAccount({ second_factor: { needed, given } })
  it('sets up a second factor before anything else', () => expect(afterSignIn(own(true, false), '/')).toBe('enrol'))
  it('goes back', () => expect(afterSignIn(own(true, true), '/')).toBe('leave'))
  it('stays without a way back', () => expect(afterSignIn(own(false, false), null)).toBe('account'))
})

it.each([
  ['done', 'arrived', ''], ['code', 'waiting', ''], ['unknown', 'waiting', ''], ['linked', 'account', 'linked'],
  ['taken', 'account', 'taken'], ['expired', 'password', 'expired'], ['<b>', 'password', '<b>'],
])('after a provider said %s the page shows %s', (outcome, step, notice) => {
  expect(afterProvider(outcome)).toEqual({ step, notice })
})

describe('a refusal', () => {
  const wait = refusal(429, { detail: '尝试过于频繁，请 15 秒后再试' }, '15')
  it('is the server’s own sentence in Chinese', () => expect(sentence(wait, both.zh, true)).toBe('尝试过于频繁，请 15 秒后再试'))
  it('is told by its kind in English', () => {
    expect(sentence(wait, both.en, false)).toContain('15 seconds')
    expect(sentence(refusal(401, { need: 'code' }, null), both.en, false)).toBe(both.en.error.code)
    expect(sentence(refusal(401, { detail: '登录名…' }, null), both.en, false)).toBe(both.en.error.wrong)
    expect(sentence(refusal(422, { detail: 'login: too long' }, null), both.en, false)).toBe('login: too long')
  })
  it('says when nobody answers', () => {
    expect(sentence(new Refused(0, '', '', 0), both.zh, true)).toBe(both.zh.error.away)
    expect(sentence(refusal(500, {}, null), both.zh, true)).toBe(both.zh.error.away)
  })
})

it('makes a whole account of anything', () => {
  expect(readAccount({})).toEqual({
    login: '', name: '', needed: false, confirmed: false, given: false, recoveryCodesLeft: 0, roles: [],
  })
  expect(readAccount({ grants: [{ role_label: '处置员', unit_name: '试验小学' }] }).roles).toEqual(['处置员 · 试验小学'])
})

it('writes a secret in fours', () => expect(inFours('ABCDEFGHIJ')).toBe('ABCD EFGH IJ'))

it('has every word in both languages', () => {
  const keys = (value: object): string[] => Object.entries(value).flatMap(([key, one]) =>
    typeof one === 'object' ? keys(one as object).map((inner) => `${key}.${inner}`) : [key])
  expect(keys(both.en)).toEqual(keys(both.zh))
})
