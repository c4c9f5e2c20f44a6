const usual = [300, 900, 1800, 3600, 7200, 14_400, 28_800];

/** The session lengths to choose from, in seconds: the usual ones up to `longest`, and `preset` itself. */
export function durationsUpTo(longest: number, preset: number): number[] {
  return [...new Set([...usual.filter((one) => one <= longest), Math.min(preset, longest)])].sort((a, b) => a - b);
}
