import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Can } from '@stint/subgraph';
import type {
  MutationPutSignInArtefactArgs,
  MutationRemoveSignInArtefactArgs,
  MutationStartSessionArgs,
  MutationUseSignInArtefactArgs,
  QuerySignInArtefactArgs,
} from '../generated/graphql.ts';
import { ArtefactService } from './artefact.service.ts';
import { SessionService } from './session.service.ts';

/** For the gateway's authorization server, which has no database of its own. */
@Resolver()
export class ArtefactResolver {
  constructor(
    private readonly artefacts: ArtefactService,
    private readonly sessions: SessionService,
  ) {}

  @Query()
  @Can('gateway')
  signInArtefact(@Args() { model, id }: QuerySignInArtefactArgs) {
    return this.artefacts.find(model, id);
  }

  @Query()
  @Can('gateway')
  sessionPayload(@Args('id') id: string) {
    return this.sessions.payload(id);
  }

  @Mutation()
  @Can('gateway')
  putSignInArtefact(@Args() { input }: MutationPutSignInArtefactArgs) {
    return this.artefacts.put(input);
  }

  @Mutation()
  @Can('gateway')
  useSignInArtefact(@Args() { input }: MutationUseSignInArtefactArgs) {
    return this.artefacts.use(input.model, input.id);
  }

  @Mutation()
  @Can('gateway')
  countSignInTry(@Args('id') id: string) {
    return this.artefacts.countTry(id);
  }

  @Mutation()
  @Can('gateway')
  async removeSignInArtefact(@Args() { input }: MutationRemoveSignInArtefactArgs) {
    await this.artefacts.remove(input.model, input.id);
    return true;
  }

  @Mutation()
  @Can('gateway')
  async startSession(@Args() { input }: MutationStartSessionArgs) {
    return { __typename: 'SignInSession', ...(await this.sessions.start(input)) };
  }

  @Mutation()
  @Can('gateway')
  async endReusedSession(@Args('id') id: string) {
    await this.sessions.endForReuse(id);
    return true;
  }
}
