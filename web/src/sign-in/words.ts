/** Every word of the sign-in page: Chinese, and English with `?lang=en`, which a way to a provider and back does not forget. */
const zh = {
  pageTitle: '登录 · 一环四员', product: '一环四员 · 校园风险智控', other: 'English', otherLang: 'en',
  title: '登录', login: '登录名', password: '口令', submit: '登录', or: '或用统一身份认证登录', by: (label: string) => `用“${label}”登录`,
  loading: '正在载入…', again: '换一种方式登录', working: '请稍候…',
  code: { title: '双重验证', hint: '请打开手机上的验证器，输入 6 位验证码；手机不在身边时，输入一个恢复码。', label: '验证码或恢复码', submit: '继续' },
  link: {
    title: '关联账号', hint: (label: string) => `您已通过“${label}”验明身份，但它还没有关联到本平台的账号。`,
    ask: '请向本单位管理员索取一次性关联码，并告知下面这个身份标识；也可先用登录名与口令登录，再在“登录方式”里关联。',
    subject: '身份标识', label: '一次性关联码', submit: '关联并登录',
  },
  enrol: {
    title: '启用双重验证', hint: '您的角色须启用双重验证。请用手机上的验证器应用扫描二维码（或手工添加密钥），再输入它显示的 6 位验证码。',
    secret: '密钥（只显示这一次）', scan: '供验证器扫描的二维码', open: '在本机的验证器中打开', label: '验证码', submit: '启用', password: '请再输入口令', next: '继续',
  },
  codes: {
    title: '请保存恢复码', hint: '手机丢失时，每个恢复码可代替一次验证码。它们只显示这一次，请抄写或打印后妥善保管。', submit: '已保存，继续',
  },
  own: {
    title: '我的账号', roles: '角色', noRoles: '还没有任何角色，请联系本单位管理员', signOut: '退出登录', goOn: '继续',
    sessions: '已登录的设备', current: '本机', since: '登录于', until: '有效至', byPassword: '登录名与口令', end: '结束',
    endOf: (since: string) => `结束 ${since} 的登录`, factorLeft: (n: number) => `剩余 ${n} 个恢复码`,
    identities: '登录方式', none: '没有关联统一身份认证', link: (label: string) => `关联“${label}”`, unlink: '解除',
    unlinkOf: (label: string) => `解除“${label}”`, linkHint: '关联前请再次输入口令；已启用双重验证的，还要输入验证码。', linkGo: '前往验明身份',
  },
  notice: {
    denied: '您在统一身份认证页面取消了登录。', expired: '登录已过期，或不是从本浏览器开始的，请重新登录。',
    failed: '统一身份认证没有给出可信的结果，请稍后重试；多次出现请告知管理员。',
    'no-role': '您的账号已停用，或在该单位范围内没有角色，请联系本单位管理员。',
    taken: '该身份已关联到另一个账号；请先在那里解除。', linked: '已关联。下次可直接用它登录。', out: '已退出登录。',
  } as Record<string, string>,
  error: {
    away: '暂时连不上服务器，请稍后再试。', wrong: '登录名、口令或验证码不对，或账号已停用。', code: '请再输入验证器上的验证码。',
    link: '请输入管理员给您的一次性关联码。', wait: (s: number) => `尝试过于频繁，请 ${s} 秒后再试。`,
  },
}
export type Words = typeof zh

const en: Words = {
  pageTitle: 'Sign in · Campus risk', product: 'Campus risk', other: '中文', otherLang: 'zh',
  title: 'Sign in', login: 'Login', password: 'Password', submit: 'Sign in', or: 'or by your campus', by: (label) => `Sign in by “${label}”`,
  loading: 'Loading…', again: 'Sign in another way', working: 'One moment…',
  code: {
    title: 'Second factor', hint: 'Type the 6 digits of your authenticator; without your phone, a recovery code.',
    label: 'Code or recovery code', submit: 'Continue',
  },
  link: {
    title: 'Link your account', hint: (label) => `“${label}” knows you, but this identity is linked to no account here yet.`,
    ask: 'Ask your unit’s administrator for a one-time link code and tell them the identifier below; or sign in with login and password first, and link under “Ways to sign in”.',
    subject: 'Identifier', label: 'One-time link code', submit: 'Link and sign in',
  },
  enrol: {
    title: 'Set up the second factor',
    hint: 'Your role needs a second factor. Scan the code with an authenticator app on your phone (or add the key by hand), then type the 6 digits it shows.',
    secret: 'Key (shown this once)', scan: 'Code for an authenticator to scan', open: 'Open in an authenticator of this device', label: 'Code', submit: 'Enable',
    password: 'Your password once more', next: 'Continue',
  },
  codes: {
    title: 'Keep your recovery codes', hint: 'If you lose your phone, each stands for a code once. They are shown this once: write them down or print them.',
    submit: 'Kept, continue',
  },
  own: {
    title: 'My account', roles: 'Roles', noRoles: 'No role yet: ask your unit’s administrator', signOut: 'Sign out', goOn: 'Continue',
    sessions: 'Where you are signed in', current: 'this one', since: 'Since', until: 'until', byPassword: 'login and password', end: 'End',
    endOf: (since) => `End the session of ${since}`, factorLeft: (n) => `${n} recovery codes left`,
    identities: 'Ways to sign in', none: 'No campus identity is linked', link: (label) => `Link “${label}”`, unlink: 'Unlink',
    unlinkOf: (label) => `Unlink “${label}”`, linkHint: 'Type your password once more, and a code where you have a second factor.', linkGo: 'Go and prove it',
  },
  notice: {
    denied: 'You cancelled at your campus.', expired: 'That took too long, or began in another browser: sign in again.',
    failed: 'Your campus gave no answer that can be trusted. Try again; if it happens often, tell your administrator.',
    'no-role': 'Your account is disabled, or has no role within that unit: ask your administrator.',
    taken: 'This identity is linked to another account: unlink it there first.', linked: 'Linked. Next time sign in by it.', out: 'Signed out.',
  },
  error: {
    away: 'The server cannot be reached. Try again later.', wrong: 'Login, password or code is wrong, or the account is disabled.',
    code: 'Type the code of your authenticator too.', link: 'Type the one-time link code from your administrator.',
    wait: (s) => `Too many attempts: try again in ${s} seconds.`,
  },
}

const KEPT = 'sign-in-lang'
function english(): boolean {
  if (typeof location === 'undefined') return false
  const asked = new URLSearchParams(location.search).get('lang')
  if (asked !== null) sessionStorage.setItem(KEPT, asked)
  return (asked ?? sessionStorage.getItem(KEPT)) === 'en'
}

const inEnglish = english()
export const words: Words = inEnglish ? en : zh
export const language = inEnglish ? 'en' : 'zh-CN'
export const chinese = !inEnglish
export const both = { zh, en }
