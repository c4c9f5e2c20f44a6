import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { id } from '@stint/contracts';
import { type Clock } from '@stint/kernel';
import { checkInput } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { CLOCK } from '../tokens.ts';
import { ArtefactRepository } from './artefact.repository.ts';
import { artefactModels, mayRefresh, type ArtefactModel } from './session.domain.ts';
import { SessionRepository } from './session.repository.ts';
import { SessionService } from './session.service.ts';

const putInput = z.object({
  model: z.enum(artefactModels),
  id: z.string().min(16).max(200),
  payload: z.string().max(50_000),
  sessionId: id.nullish(),
  rotation: z.number().int().min(0).nullish(),
  expiresAt: z.coerce.date(),
});

/** What the gateway's authorization server keeps: open sign-ins, codes and refresh tokens. For the gateway alone, across MSPs. */
@Injectable()
export class ArtefactService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly artefacts: ArtefactRepository,
    private readonly sessions: SessionRepository,
    private readonly sessionEnds: SessionService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async put(raw: unknown): Promise<boolean> {
    const { sessionId = null, rotation, ...input } = checkInput(putInput, raw);
    return this.tenancy.asSystem(async (tx) => {
      if (sessionId !== null) {
        // Also what makes two refreshes of one session wait for each other.
        if ((await this.sessions.lock(tx, sessionId)) === null) return false;
        if (input.model === 'REFRESH_TOKEN') await this.artefacts.supersede(tx, sessionId, rotation ?? 0);
      }
      await this.artefacts.put(tx, { ...input, sessionId, rotation: rotation ?? 0 });
      return true;
    });
  }

  /** `used` tells that using it (again) would be a second use, which ends the session. */
  async find(model: ArtefactModel, artefactId: string): Promise<{ payload: string; used: boolean } | null> {
    return this.tenancy.asSystem(async (tx) => {
      const found = await this.artefacts.find(tx, model, artefactId, this.clock.now());
      if (found === null) return null;
      if (model !== 'REFRESH_TOKEN' || found.sessionId === null) return { payload: found.payload, used: found.used };
      const others = await this.artefacts.othersOf(tx, found.sessionId, artefactId);
      return { payload: found.payload, used: !mayRefresh(found, others) };
    });
  }

  /** Uses a code or a refresh token up; false for a second use, with which the session has ended. Of many at once, one wins. */
  async use(model: ArtefactModel, artefactId: string): Promise<boolean> {
    const now = this.clock.now();
    return this.tenancy.asSystem(async (tx) => {
      const sessionId = (await this.artefacts.find(tx, model, artefactId, now))?.sessionId ?? null;
      if (sessionId === null || (await this.sessions.lock(tx, sessionId)) === null) return false;
      // Read again, now that nobody else of the session is at it.
      const found = await this.artefacts.find(tx, model, artefactId, now);
      if (found === null) return false;
      const refresh = model === 'REFRESH_TOKEN';
      const allowed = refresh ? mayRefresh(found, await this.artefacts.othersOf(tx, sessionId, artefactId)) : !found.used;
      if (!allowed) {
        await this.sessionEnds.end(tx, sessionId, 'token-reused', null);
        return false;
      }
      if (refresh) await this.artefacts.supersede(tx, sessionId, found.rotation + 1);
      await this.artefacts.markUsed(tx, model, artefactId, now);
      await this.sessions.touch(tx, sessionId, now);
      return true;
    });
  }

  /** How many tries it were so far, this one included, to sign in with an open sign-in; 0 when there is none. */
  async countTry(artefactId: string): Promise<number> {
    return this.tenancy.asSystem(async (tx) => (await this.artefacts.countTry(tx, 'INTERACTION', artefactId, this.clock.now())) ?? 0);
  }

  async remove(model: ArtefactModel, artefactId: string): Promise<void> {
    await this.tenancy.asSystem((tx) => this.artefacts.remove(tx, model, artefactId));
  }
}
