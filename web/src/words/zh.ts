/** Every Chinese word on the page. Names of units and of categories come from the server. */
import type { Span } from '../core/time'

const UNIT = { d: '天', h: '小时', m: '分', s: '秒' } as const
const DAYS = '日一二三四五六'

export const zh = {
  title: '一环四员 · 校园风险智控驾驶舱',
  /** Between two facts; the Chinese one is as wide as a character by itself. */
  dot: '·',
  live: {
    loading: '正在载入', live: '实时', reconnecting: '重连中', offline: '网络已断开', stale: '数据已过时',
  } as Record<string, string>,
  asOf: '数据截至',
  date: (d: { year: number; month: number; day: number; weekday: number }) =>
    `${d.year}年${d.month}月${d.day}日 星期${DAYS[d.weekday] ?? ''}`,
  today: {
    title: '今日', reports: '上报', hazards: '新增隐患', attached: '并入已有', quiet: '无需处置', closed: '销号',
    climbed: '升级上报', dead: '无法受理',
  },
  rates: { title: '近期比率', closing: '整改率', timely: '按期整改率', false_report: '误报率', usage: '使用率' },
  loop: {
    title: '在办闭环', open: '在办', overdue: '超期', major: '重大', listed: '挂牌',
    response: '研判中位', handling: '处置中位', review: '复盘与教导',
  },
  phase: { warn: '预警预判', intervene: '干预处置', review: '复盘教导' } as Record<string, string>,
  level: { red: '红', orange: '橙', yellow: '黄', blue: '蓝' },
  tiers: { title: '三级贯通', aside: '在办 ↑ 今日升入', climbedIn: '今日升入', none: '今日无升入', empty: '尚无层级数据' },
  tier: { school: '学校', university: '高校', district: '区县', city: '市' } as Record<string, string>,
  climbed: {
    title: '近期升级', empty: '近期没有升级',
    reason: { level: '因等级', deadline: '因超时', instructed: '因督办', unmanned: '因无人值守' } as Record<string, string>,
  },
  map: {
    title: '全域态势', legend: '加权在办', none: '无在办', university: '高校（形状示最高等级）', gravest: '当前最重',
    open: '在办', overdue: '超期', calm: '各单位均无在办隐患', noMap: '未配置本市地图，仅示点位', above: '以上',
  },
  urgent: { title: '红橙急件', empty: '没有待处置的红、橙隐患', more: (n: number) => `另有 ${n} 件`, noDue: '未定时限' },
  due: {
    assess: '研判', control: '首控', first_control: '首控', rectify: '整改', report: '上报', review: '复盘',
  } as Record<string, string>,
  left: (s: Span[]) => `剩 ${join(s)}`,
  past: (s: Span[]) => `超期 ${join(s)}`,
  span: join,
  state: {
    reported: '待研判', assessed: '已研判', dispatched: '已派单', handling: '处置中', submitted: '待复核', closed: '已销号',
    reviewing: '待复盘', archived: '已归档', rejected: '不属实', merged: '已合并',
  } as Record<string, string>,
  ticker: { title: '实时动态', empty: '等待第一条上报', private: '内容不在大屏显示' },
  kind: {
    opened: '新增', attached: '并入', climbed: '升级', assess: '研判', reject: '不实', merge: '合并', dispatch: '派单',
    settle: '落实', start: '处置', submit: '报验', return: '退回', close: '销号', extend: '延期', list: '挂牌',
    review: '复盘', archive: '归档', reopen: '重开', instruct: '督办',
  } as Record<string, string>,
  kindOther: '变更',
  warnings: {
    title: '风险预警', empty: '目前没有预警', known: '已知悉', more: (n: number) => `另有 ${n} 条`,
    kind: { surge: '突增', recurrence: '复发', cluster: '聚集', pileup: '积压', weather: '气象', forecast: '走势' } as Record<string, string>,
  },
  forecast: { title: '风险走势', aside: '14 天·八成区间', now: '指数', empty: '数据不足，暂不预测' },
  trend: { title: '近 24 小时', reports: '上报', hazards: '隐患', closed: '销号', hour: (h: number) => `${h}时` },
  categories: { title: '隐患类别', empty: '尚无在办隐患', rest: (n: number) => `其余 ${n} 类`, lanes: '保密通道', few: '<5' },
  silence: '没有上报，不等于没有隐患',
  loading: '正在取得数据',
  failing: '暂时连不上服务器，将自动重试',
  key: {
    title: '请输入本屏的访问密钥', hint: '密钥由平台管理员签发，只用于显示汇总数据。', label: '访问密钥', submit: '进入驾驶舱', signIn: '有账号？在此登录',
    bad: '密钥无效或已停用，请核对后重新输入。', broken: '暂时连不上服务器，请稍后再试。',
  },
}

function join(parts: Span[]): string {
  return parts.map(([value, unit]) => `${value} ${UNIT[unit]}`).join(' ')
}

export type Words = typeof zh
