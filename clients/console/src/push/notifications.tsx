import { useEffect, useState } from 'preact/hooks';
import { Button, Problem, useAction } from '../ui/action.tsx';
import { keepPushOn, pushState, turnPushOff, turnPushOn, type PushState } from './push-subscription.ts';

/** Switches on and off that this browser tells its technician of logins that ask them. */
export function Notifications({ technicianId }: { technicianId: string }) {
  const acting = useAction();
  const [state, setState] = useState<PushState | null>(null);
  const read = async () => setState(await pushState(technicianId));
  useEffect(
    () =>
      acting.act(async () => {
        await read();
        await keepPushOn(technicianId);
      }),
    [],
  );
  const turn = (to: () => Promise<unknown>) =>
    acting.act(async () => {
      await to();
      await read();
    });
  return (
    <>
      <Problem text={acting.problem} />
      {state === 'off' && (
        <Button kind="quiet" busy={acting.busy} onClick={() => turn(() => turnPushOn(technicianId))}>
          Tell me here when a login asks me
        </Button>
      )}
      {state === 'on' && (
        <Button kind="quiet" busy={acting.busy} onClick={() => turn(turnPushOff)}>
          Do not tell me here any more
        </Button>
      )}
      {state === 'blocked' && <p class="quiet">Notifications of this site are blocked: allow them in the browser's settings.</p>}
      {state === 'unsupported' && (
        <p class="quiet">This browser cannot notify you. On an iPhone or iPad, add Stint to the home screen and open it there.</p>
      )}
    </>
  );
}
