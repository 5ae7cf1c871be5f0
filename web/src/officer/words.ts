/** Every word of the officer's page: Chinese, and English with `?lang=en`. */
const zh = {
  pageTitle: '随手报 · 一环四员', title: '随手报', offline: '没有信号：可以照常上报，有信号后自动送出',
  signIn: '请先登录', signInWhy: '登录后才能上报。已存在本机的上报不会丢失。', signInGo: '去登录',
  unit: '单位', text: '看到了什么', textHint: '例：二楼东侧安全出口上锁，推不开', place: '在哪里', placeHint: '例：3号楼二层东侧',
  minors: '涉及未成年人', submit: '上报', submitting: '正在保存…', tooShort: '请写一句看到了什么',
  unitNeeded: '请选择单位',
  judged: (label: string, level: string) => `初步研判：${label} · ${level}`, unsure: '暂不能确定类别，将由研判员定类',
  quiet: '这句话没有读出隐患；若有隐患，请写明是什么、在哪里', similar: (n: number) => `平台上有 ${n} 件相似的隐患；若是同一件，将自动并入，您算一位见证人`,
  confidential: '这类事项走保密通道：只有本单位指定的研判员、处置员、督导员和领导能看到内容，每次查看都有记录。',
  levels: { red: '红', orange: '橙', yellow: '黄', blue: '蓝' } as Record<string, string>,
  savedSent: '已送达', saved: '已存在本机，等信号送出',
  mine: '我的上报', none: '还没有从这部手机上报过', waiting: (n: number) => `${n} 条等待送出`, retry: '现在送',
  others: (n: number) => `本机还有他人的 ${n} 条上报等待其本人登录后送出`,
  standing: { waiting: '待送出', sent: '已送达', refused: '未被受理' } as Record<string, string>,
  states: {
    reported: '待研判', assessed: '已研判', dispatched: '已派单', handling: '处置中', submitted: '待复核', closed: '已销号', reviewing: '复盘中',
    archived: '已归档', rejected: '已退回', merged: '已并入',
  } as Record<string, string>,
  again: '改后重报', remove: '删除', sure: '再按一次删除', broken: '本机存储不可用（可能是无痕模式）：请换普通窗口，或有信号时再报',
}
export type Words = typeof zh

const en: Words = {
  pageTitle: 'Report · Campus risk', title: 'Report a hazard', offline: 'No signal: report as usual, it is sent when the signal is back',
  signIn: 'Please sign in', signInWhy: 'Reporting needs an account. What is kept on this phone is not lost.', signInGo: 'Sign in',
  unit: 'Unit', text: 'What did you see?', textHint: 'e.g. the fire exit on the second floor is locked', place: 'Where?', placeHint: 'e.g. building 3, second floor',
  minors: 'Minors are involved', submit: 'Report', submitting: 'Saving…', tooShort: 'Write one sentence about what you saw',
  unitNeeded: 'Choose a unit',
  judged: (label, level) => `First look: ${label} · ${level}`, unsure: 'Not sure what it is: an assessor will say',
  quiet: 'No hazard was read from this; if there is one, say what and where', similar: (n) => `${n} similar hazards are known; if it is one of them, you become its witness`,
  confidential: 'This goes by a confidential lane: only your unit’s named assessor, handler, supervisor and leader see it, and each reading is logged.',
  levels: { red: 'red', orange: 'orange', yellow: 'yellow', blue: 'blue' },
  savedSent: 'Delivered', saved: 'Kept on this phone, sent when there is a signal',
  mine: 'My reports', none: 'Nothing was reported from this phone yet', waiting: (n) => `${n} waiting to be sent`, retry: 'Send now',
  others: (n) => `${n} reports of other people wait on this phone until they sign in`,
  standing: { waiting: 'waiting', sent: 'delivered', refused: 'not accepted' },
  states: {
    reported: 'to be assessed', assessed: 'assessed', dispatched: 'dispatched', handling: 'in work', submitted: 'to be verified', closed: 'closed',
    reviewing: 'in review', archived: 'archived', rejected: 'rejected', merged: 'merged',
  },
  again: 'Edit and report again', remove: 'Delete', sure: 'Press again to delete', broken: 'This phone’s storage cannot be used (a private window?): use an ordinary one',
}

const english = typeof location !== 'undefined' && new URLSearchParams(location.search).get('lang') === 'en'
export const words: Words = english ? en : zh
export const language = english ? 'en' : 'zh-CN'
export const both = { zh, en }
