/** Joins the officer's page with the phone's storage and the server. */
import { computed, onMounted, onUnmounted, reactive, watch } from 'vue'
import { v7 } from 'uuid'
import * as api from './api'
import { flush, pause } from './outbox'
import { fromFragment, last, remember } from './place'
import { Vault, type Kept, type Told } from './vault'

/** After the last key: long enough not to ask at each character, short enough to be there when one looks up. */
const TYPING_MS = 600
const SHORTEST = 4
/** Who used this phone last and what they may report for: without a signal nobody can be asked. */
const KNOWN = 'campus-risk-officer'

interface Known { me: api.Me; units: api.Unit[] }

export function useOfficer() {
  const state = reactive({
    ready: false, online: navigator.onLine, signedOut: false, broken: false, me: null as api.Me | null, units: [] as api.Unit[],
    unit: '', text: '', place: '', minors: false, busy: false, problem: '', done: '' as '' | 'sent' | 'saved',
    suggestion: null as api.Suggestion | null, mine: [] as Kept[], fates: {} as Record<string, api.Fate>, others: 0, sending: false,
  })
  const waiting = computed(() => state.mine.filter((one) => one.standing === 'waiting').length)
  let vault: Vault | null = null
  let failures = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let typing: ReturnType<typeof setTimeout> | undefined

  const owner = (): string => state.me?.name ?? ''

  async function show(): Promise<void> {
    if (vault === null) return
    state.mine = await vault.list(owner())
    state.others = await vault.othersWaiting(owner())
  }

  async function send(): Promise<void> {
    clearTimeout(timer)
    const held = vault
    if (held === null || state.me === null || state.sending) return
    state.sending = true
    try {
      // Two tabs take turns: the second finds nothing left.
      const round = await navigator.locks.request('campus-risk-send', () =>
        flush(held, owner(), (one) => api.send(one.id, one.told), () => void show()))
      state.signedOut = round.signedOut
      failures = round.left === 0 ? 0 : failures + 1
      if (round.left > 0 && !round.signedOut) timer = setTimeout(() => void send(), pause(failures))
    } finally {
      state.sending = false
      await show()
    }
    void follow()
  }

  /** What became of the newest ones. */
  async function follow(): Promise<void> {
    for (const { id } of state.mine.filter((one) => one.standing === 'sent').slice(0, 10)) {
      const found = await api.fate(id)
      if (found === null) return
      state.fates[id] = found
    }
  }

  async function submit(): Promise<void> {
    const text = state.text.trim()
    state.problem = text.length < SHORTEST ? 'text' : state.unit === '' ? 'unit' : ''
    if (state.problem !== '' || state.busy || vault === null) return
    state.busy = true
    try {
      const place = state.place.trim()
      const told: Told = { unit: state.unit, text, occurred_at: new Date().toISOString() }
      if (place !== '') told.place = place
      if (state.minors) told.minors_involved = true
      const id = v7()
      await vault.put({ id, owner: owner(), at: told.occurred_at, standing: 'waiting', why: '', told })
      remember(localStorage, { unit: state.unit, place })
      Object.assign(state, { text: '', minors: false, suggestion: null, done: 'saved' })
      await show()
      await send()
      if (state.mine.find((one) => one.id === id)?.standing === 'sent') state.done = 'sent'
    } catch {
      state.broken = true
    } finally {
      state.busy = false
    }
  }

  /** A refused one back into the form; it leaves the list when the new one is kept. */
  function again(one: Kept): void {
    Object.assign(state, { text: one.told.text, place: one.told.place ?? '', unit: one.told.unit, minors: one.told.minors_involved === true })
    window.scrollTo({ top: 0 })
  }

  async function remove(one: Kept): Promise<void> {
    await vault?.remove(one.id)
    await show()
  }

  async function arrive(): Promise<void> {
    try {
      const me = await api.me()
      state.signedOut = me === null
      if (me === null) return
      const units = await api.units()
      Object.assign(state, { me, units })
      localStorage.setItem(KNOWN, JSON.stringify({ me, units } satisfies Known))
    } catch {
      state.online = navigator.onLine
    }
    if (state.unit === '' || !state.units.some((unit) => unit.code === state.unit)) {
      state.unit = state.units.length === 1 ? (state.units[0]?.code ?? '') : ''
    }
    await send()
  }

  function restored(): void {
    try {
      const known = JSON.parse(localStorage.getItem(KNOWN) ?? 'null') as Known | null
      if (known !== null) Object.assign(state, { me: known.me, units: known.units })
    } catch {
      localStorage.removeItem(KNOWN)
    }
  }

  function connected(): void {
    state.online = true
    failures = 0
    void arrive()
  }
  const gone = (): void => { state.online = false }
  const looked = (): void => { if (document.visibilityState === 'visible') void send() }

  watch(() => state.text, (text) => {
    clearTimeout(typing)
    if (text.trim() !== '') state.done = ''
    if (state.problem === 'text') state.problem = ''
    if (text.trim().length < SHORTEST) { state.suggestion = null; return }
    typing = setTimeout(() => {
      void api.suggest(text.trim()).then((found) => { if (state.text === text) state.suggestion = found })
    }, TYPING_MS)
  })

  onMounted(async () => {
    restored()
    const [given, before] = [fromFragment(location.hash), last(localStorage)]
    state.unit = given?.unit || before.unit
    state.place = given?.place || before.place
    try {
      vault = await Vault.open()
      await show()
    } catch {
      state.broken = true
    }
    state.ready = true
    window.addEventListener('online', connected)
    window.addEventListener('offline', gone)
    document.addEventListener('visibilitychange', looked)
    await arrive()
  })
  onUnmounted(() => {
    clearTimeout(timer)
    clearTimeout(typing)
    window.removeEventListener('online', connected)
    window.removeEventListener('offline', gone)
    document.removeEventListener('visibilitychange', looked)
  })

  return { state, waiting, submit, send, again, remove }
}
