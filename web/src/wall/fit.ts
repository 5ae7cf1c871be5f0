/** The stage is drawn at 1920×1080 and scaled as a whole, so every wall shows the same picture. */
export const STAGE = { width: 1920, height: 1080 } as const

export interface Fit {
  scale: number
  left: number
  top: number
}

/** Largest scale at which the whole stage is seen, and where it stands in the middle. */
export function fit(width: number, height: number): Fit {
  const scale = Math.max(0.05, Math.min(width / STAGE.width, height / STAGE.height))
  return {
    scale,
    left: Math.round((width - STAGE.width * scale) / 2),
    top: Math.round((height - STAGE.height * scale) / 2),
  }
}
