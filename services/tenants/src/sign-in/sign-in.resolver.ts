import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Can } from '@stint/subgraph';
import type {
  MutationFinishIdentityProviderSignInArgs,
  MutationFinishPasskeySignInArgs,
  MutationStartIdentityProviderSignInArgs,
} from '../generated/graphql.ts';
import { IdentityProviderSignInService } from '../identity-provider/identity-provider-sign-in.service.ts';
import { SignInService } from './sign-in.service.ts';

/** For the gateway's sign-in pages and its token endpoint. */
@Resolver()
export class SignInResolver {
  constructor(
    private readonly signIns: SignInService,
    private readonly identityProviders: IdentityProviderSignInService,
  ) {}

  @Query()
  @Can('gateway')
  technicianPrincipal(@Args('id') id: string) {
    return this.signIns.principal(id);
  }

  @Mutation()
  @Can('gateway')
  startPasskeySignIn() {
    return this.signIns.start();
  }

  @Mutation()
  @Can('gateway')
  async finishPasskeySignIn(@Args() { input }: MutationFinishPasskeySignInArgs) {
    return { __typename: 'SignedIn', ...(await this.signIns.finish(input)) };
  }

  @Mutation()
  @Can('gateway')
  async startIdentityProviderSignIn(@Args() { input }: MutationStartIdentityProviderSignInArgs) {
    return { __typename: 'IdentityProviderSignInStarted', ...(await this.identityProviders.start(input)) };
  }

  @Mutation()
  @Can('gateway')
  async finishIdentityProviderSignIn(@Args() { input }: MutationFinishIdentityProviderSignInArgs) {
    return { __typename: 'IdentityProviderSignedIn', ...(await this.identityProviders.finish(input)) };
  }
}
