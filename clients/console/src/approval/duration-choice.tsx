import { durationText } from '../ui/time.ts';
import { durationsUpTo } from './durations.ts';

/** For how long, from what is allowed. */
export function DurationChoice(props: { longest: number; preset: number; value: number; onChange: (seconds: number) => void }) {
  return (
    <label>
      <span>For how long</span>
      <select value={props.value} onChange={(event) => props.onChange(Number(event.currentTarget.value))}>
        {durationsUpTo(props.longest, props.preset).map((one) => (
          <option key={one} value={one}>
            {durationText(one)}
          </option>
        ))}
      </select>
    </label>
  );
}
