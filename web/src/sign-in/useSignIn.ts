/** Joins the steps with the server. A password stays in memory from the sign-in to the end of an enrolment, and nowhere else. */
import { computed, reactive } from 'vue'
import * as api from './api'
import { backOf, outcomeOf } from './back'
import { afterProvider, afterSignIn, sentence, type Step } from './steps'
import { chinese, words } from './words'

export function useSignIn() {
  const state = reactive({
    step: 'loading' as Step, busy: false, error: '', notice: '', login: '', password: '', byProvider: false, link: '',
    askPassword: false, secret: '', uri: '', codes: [] as string[], providers: [] as api.Provider[],
    waiting: null as api.Waiting | null, own: null as api.Account | null, sessions: [] as api.Session[], identities: [] as api.Identity[],
  })
  const back = backOf(location.search)

  /** Runs one action: one at a time, its refusal said as a sentence. */
  async function act(work: () => Promise<void>): Promise<void> {
    if (state.busy) return
    Object.assign(state, { busy: true, error: '', notice: '' })
    try {
      await work()
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error
      state.error = sentence(error, words, chinese)
    } finally {
      state.busy = false
    }
  }

  function leave(): void {
    state.password = ''
    if (back !== null) location.replace(back)
    else void act(showAccount)
  }

  async function showAccount(): Promise<void> {
    state.own = await api.account()
    if (state.own.needed && !state.own.given) return enrolling()
    ;[state.sessions, state.identities] = await Promise.all([api.sessions(), api.identities()])
    state.step = 'account'
  }

  async function arrived(): Promise<void> {
    state.own = await api.account()
    const next = afterSignIn(state.own, back)
    if (next === 'enrol') return enrolling()
    state.password = ''
    if (next === 'leave' && back !== null) location.replace(back)
    else await showAccount().catch(() => { state.step = 'account' })
  }

  async function enrolling(): Promise<void> {
    try {
      Object.assign(state, await api.enrol(state.password), { step: 'enrol', askPassword: false })
    } catch (error) {
      if (!(error instanceof api.Refused) || error.status !== 403) throw error
      // The password is not known here: a sign-in of a while ago, or one by a provider that reaches less far than the account.
      Object.assign(state, { step: 'enrol', askPassword: true })
      if (state.password !== '') state.error = sentence(error, words, chinese)
    }
  }

  const signIn = (): Promise<void> => act(async () => {
    try {
      await api.signIn(state.login, state.password, '')
    } catch (error) {
      if (!(error instanceof api.Refused) || error.need !== 'code') throw error
      Object.assign(state, { step: 'code', byProvider: false })
      return
    }
    await arrived()
  })

  const giveCode = (typed: string): Promise<void> => act(async () => {
    if (state.byProvider) await api.finish(typed, state.link)
    else await api.signIn(state.login, state.password, typed)
    await arrived()
  })

  const giveLink = (typed: string): Promise<void> => act(async () => {
    state.link = typed
    try {
      await api.finish('', typed)
    } catch (error) {
      if (!(error instanceof api.Refused) || error.need !== 'code') throw error
      Object.assign(state, { step: 'code', byProvider: true })
      return
    }
    await arrived()
  })

  const givePassword = (typed: string): Promise<void> => act(async () => {
    state.password = typed
    await enrolling()
  })

  const confirm = (typed: string): Promise<void> => act(async () => {
    state.codes = await api.confirm(typed)
    Object.assign(state, { step: 'codes', secret: '', uri: '', password: '' })
  })

  const go = (provider: string): Promise<void> => act(async () => { location.assign(await api.begin(provider, back ?? '/sign-in.html')) })
  const link = (provider: string, password: string, typed: string): Promise<void> =>
    act(async () => { location.assign(await api.beginLink(provider, password, typed)) })
  const unlink = (id: string): Promise<void> => act(async () => { await api.unlink(id); await orOut() })
  const endSession = (id: string): Promise<void> => act(async () => { await api.endSession(id); await orOut() })

  /** What was ended may have been this very session. */
  async function orOut(): Promise<void> {
    try {
      await showAccount()
    } catch (error) {
      if (!(error instanceof api.Refused) || error.status !== 401) throw error
      restart('out')
    }
  }

  const signOut = (): Promise<void> => act(async () => { await api.signOut(); restart('out') })

  function restart(notice = ''): void {
    Object.assign(state, {
      step: 'password', notice: words.notice[notice] ?? '', error: '', password: '', link: '', own: null, waiting: null, secret: '', uri: '',
    })
  }

  async function start(): Promise<void> {
    const outcome = outcomeOf(location.hash)
    if (outcome !== null) history.replaceState(history.state, '', location.pathname + location.search)
    // Without its buttons the page still signs in by password.
    void api.providers().then((found) => { state.providers = found }, () => undefined)
    const next = outcome === null ? null : afterProvider(outcome)
    try {
      if (next?.step === 'waiting') {
        state.waiting = await api.waiting()
        Object.assign(state, { step: state.waiting.need === 'code' ? 'code' : 'link', byProvider: true })
      } else if (next?.step === 'arrived') await arrived()
      else if (next?.step === 'password') state.step = 'password'
      else await showAccount()
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error
      state.step = 'password'
      // Nobody is signed in yet, or a key is: that is what this page is for.
      if (next !== null || (error.status !== 401 && error.status !== 403)) state.error = sentence(error, words, chinese)
    }
    if (next !== null && next.notice !== '') {
      const said = words.notice[next.notice] ?? words.notice.failed ?? ''
      if (next.notice === 'linked') state.notice = said
      else state.error = said
    }
  }

  void start()
  const more = computed(() => state.providers.filter((one) => !state.identities.some((mine) => mine.provider === one.label)))
  return { state, back, more, signIn, giveCode, giveLink, givePassword, confirm, go, link, unlink, endSession, signOut, leave, restart }
}
